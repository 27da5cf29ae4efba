"""Closures for the shapes that conditions are mostly made of: ``name = "text"``, ``name > 5``, ``a.b``, ``not(x)``.

Each answers the common case itself and leaves everything else to the general closure, so it can't differ in meaning.
"""
from __future__ import annotations

import operator
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from engine.expressions import nodes
from engine.expressions.errors import Problem
from engine.expressions.scopes import Code, Frame, Scope, resolve
from engine.expressions.values import title_of

if TYPE_CHECKING:
    from engine.expressions.compiler import Compiler

_SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}


def special(compiler: Compiler, node: nodes.Node, frame: Frame | None) -> Code | None:
    """A fast closure for a node, or None when it has no special shape."""
    maker = _SPECIAL.get(type(node))
    return maker(compiler, node, frame) if maker is not None else None


def _plain_name(node: nodes.Node, frame: Frame | None) -> str | None:
    """The name when it can only come from the context."""
    if isinstance(node, nodes.Name) and resolve(node.name, frame) == ([], None):
        return node.name
    return None


def _comparison(compiler: Compiler, node: nodes.Comparison, frame: Frame | None) -> Code | None:
    if not isinstance(node.right, nodes.Literal):
        return None
    constant = node.right.value
    if type(constant) not in (str, Decimal, bool):
        return None
    name = _plain_name(node.left, frame)
    base = _plain_name(node.left.base, frame) if isinstance(node.left, nodes.Path) else None
    if name is None and base is None:
        return None
    from engine.expressions.compile_logic import MAKERS
    slow = MAKERS[nodes.Comparison](compiler, node, frame)
    kinds: tuple[type, ...] = (type(constant),)
    if type(constant) is Decimal:
        kinds = (Decimal, int)
        if constant == int(constant) and abs(constant) < 10**15:
            constant = int(constant)
    elif type(constant) is bool and node.sign not in ("=", "!="):
        return None
    if isinstance(node.left, nodes.Path) and base is not None:
        return _compared_path(base, node.left.name, kinds, _SIGNS[node.sign], constant, slow)
    assert name is not None
    if type(constant) is str and node.sign == "=":
        return _equals_text(name, constant, slow)
    return _compared_name(name, kinds, _SIGNS[node.sign], constant, slow)


def _equals_text(name: str, constant: str, slow: Code) -> Code:
    def run(scope: Scope) -> Any:
        value = scope.get(name)
        return value == constant if type(value) is str else slow(scope)
    return run


def _compared_name(name: str, kinds: tuple[type, ...], sign: Callable[[Any, Any], bool], constant: Any, slow: Code) -> Code:
    def run(scope: Scope) -> Any:
        value = scope.get(name)
        return sign(value, constant) if type(value) in kinds else slow(scope)
    return run


def _compared_path(base: str, key: str, kinds: tuple[type, ...], sign: Callable[[Any, Any], bool], constant: Any, slow: Code) -> Code:
    def run(scope: Scope) -> Any:
        context = scope.get(base)
        if type(context) is dict:
            value = context.get(key)
            if type(value) in kinds:
                return sign(value, constant)
        return slow(scope)
    return run


def _path(compiler: Compiler, node: nodes.Path, frame: Frame | None) -> Code | None:
    base = _plain_name(node.base, frame)
    if base is None:
        return None
    from engine.expressions.compile_collections import MAKERS
    slow = MAKERS[nodes.Path](compiler, node, frame)
    name = node.name

    def run(scope: Scope) -> Any:
        value = scope.get(base)
        return value[name] if type(value) is dict and name in value else slow(scope)
    return run


def _in(compiler: Compiler, node: nodes.In, frame: Frame | None) -> Code | None:
    name = _plain_name(node.value, frame)
    if name is None or len(node.tests) != 1:
        return None
    from engine.expressions.compile_logic import MAKERS, constants_of
    values = constants_of(node.tests[0])
    if values is None:
        return None
    slow = MAKERS[nodes.In](compiler, node, frame)
    kinds: tuple[type, ...] = (str,) if type(next(iter(values))) is str else (Decimal, int)

    def run(scope: Scope) -> Any:
        value = scope.get(name)
        return value in values if type(value) in kinds else slow(scope)
    return run


def _call(compiler: Compiler, node: nodes.Call, frame: Frame | None) -> Code | None:
    if not isinstance(node.function, nodes.Name) or node.function.name != "not" or len(node.arguments) != 1 or node.names:
        return None
    if "not" in compiler.declared or resolve("not", frame)[1] is not None:
        return None
    fail = compiler.failure(node)
    argument = compiler.code(node.arguments[0], frame)

    def run(scope: Scope) -> Any:
        value = argument(scope)
        if value is True:
            return False
        if value is False:
            return True
        return None if value is None else fail(Problem(f"not 需要“是/否”，得到{title_of(value)}"))
    return run


_SPECIAL: dict[type, Callable[[Compiler, Any, Frame | None], Code | None]] = {
    nodes.Comparison: _comparison, nodes.Path: _path, nodes.In: _in, nodes.Call: _call,
}
