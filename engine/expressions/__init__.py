"""FEEL, the expression language of DMN 1.5: scanner, grammar, compiler, built-in functions.

``compile_expression(text).evaluate(context)``: analyst text becomes closures once and is never executed as Python. Every evaluation
ends (``limits``), touches nothing but the context it is given, and names the place of an error. Lives here: the language. Does not
live here: decision tables (``engine.decisions``), what a process does with a condition (``engine.runtime``).
"""
from engine.expressions.errors import FeelError, LimitReached
from engine.expressions.expression import (
    Expression,
    UnaryTests,
    build_expression,
    build_unary_tests,
    compile_expression,
    compile_unary_tests,
    referenced_names,
)
from engine.expressions.values import Function, Range, YearMonthDuration

__all__ = [
    "Expression", "FeelError", "Function", "LimitReached", "Range", "UnaryTests", "YearMonthDuration", "build_expression",
    "build_unary_tests", "compile_expression", "compile_unary_tests", "referenced_names",
]
