"""DMN: decision tables, boxed expressions, knowledge models and services over FEEL.

``compile_dmn(xml).evaluate(decision, context)``. Lives here: reading DMN files and making decisions. Does not live here: the
language of the cells (``engine.expressions``), which decision a process asks for (``engine.runtime``).
"""
from engine.decisions.errors import DecisionError
from engine.decisions.model import DecisionModel, compile_dmn

__all__ = ["DecisionError", "DecisionModel", "compile_dmn"]
