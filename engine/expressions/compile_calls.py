"""Closures of function definitions and calls."""
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from engine.expressions import nodes
from engine.expressions.builtins import BUILTINS, cost_of
from engine.expressions.compile_collections import Closure, weight
from engine.expressions.errors import Problem
from engine.expressions.limits import BUDGET
from engine.expressions.scopes import Code, Frame, Scope, resolve
from engine.expressions.types import coerce
from engine.expressions.values import Function, title_of

if TYPE_CHECKING:
    from engine.expressions.compiler import Compiler


def _call(compiler: Compiler, node: nodes.Call, frame: Frame | None) -> Code:
    arguments = [compiler.code(argument, frame) for argument in node.arguments]
    if isinstance(node.function, nodes.Name):
        name = node.function.name
        builtin = BUILTINS.get(name)
        if builtin is not None and resolve(name, frame)[1] is None:
            standard = _builtin_call(compiler, node, arguments)
            return standard if name not in compiler.declared else _overridden(compiler, node, arguments, frame, standard)
    return _value_call(compiler, node, arguments, frame)


def _overridden(compiler: Compiler, node: nodes.Call, arguments: list[Code], frame: Frame | None, standard: Code) -> Code:
    """A declared name that is also a built-in function: the context's function if it is one, else the built-in."""
    assert isinstance(node.function, nodes.Name)
    name, own = node.function.name, _value_call(compiler, node, arguments, frame)
    return lambda scope: own(scope) if isinstance(scope.get(name), Function) else standard(scope)


def _builtin_call(compiler: Compiler, node: nodes.Call, arguments: list[Code]) -> Code:
    assert isinstance(node.function, nodes.Name)
    builtin = BUILTINS[node.function.name]
    fail = compiler.failure(node)
    planned = builtin.plan(len(arguments) + builtin.wants_scope, node.names)
    if isinstance(planned, str):
        message = planned
        return lambda scope: fail(Problem(message))
    plan = planned
    charge, wants_scope = compiler.loops, builtin.wants_scope

    def run(scope: Scope) -> Any:
        values = [argument(scope) for argument in arguments]
        if charge:
            scope[BUDGET].spend(cost_of(values))
        try:
            return plan([scope, *values]) if wants_scope else plan(values)
        except Problem as problem:
            return fail(problem)
    return run


def _value_call(compiler: Compiler, node: nodes.Call, arguments: list[Code], frame: Frame | None) -> Code:
    function = compiler.code(node.function, frame)
    names, fail, label = node.names, compiler.failure(node), getattr(node.function, "name", "")

    def run(scope: Scope) -> Any:
        callee = function(scope)
        values = [argument(scope) for argument in arguments]
        try:
            return invoke(callee, values, names, label)
        except Problem as problem:
            return fail(problem)
    return run


def invoke(callee: Any, values: list[Any], names: list[str] | None, label: str = "") -> Any:
    """Calls a function value by position, or by name when ``names`` is given; raises Problem."""
    if not isinstance(callee, Function):
        raise Problem(f"没有名为“{label}”的函数" if callee is None else f"{title_of(callee)}不能当作函数调用")
    if callee.builtin is not None:
        plan = callee.builtin.plan(len(values), names)
        if isinstance(plan, str):
            raise Problem(plan)
        return plan(values)
    if names is not None:
        if set(names) != set(callee.parameters):
            raise Problem(f"参数名应是：{'、'.join(callee.parameters)}")
        values = [values[names.index(parameter)] for parameter in callee.parameters]
    if len(values) != len(callee.parameters):
        raise Problem(f"函数 {callee.name or label} 需要 {len(callee.parameters)} 个参数，得到 {len(values)} 个")
    return callee.call(*values)


def _definition(compiler: Compiler, node: nodes.FunctionDefinition, frame: Frame | None) -> Code:
    inner = Frame(frame)
    slots = []
    for name, _ in node.parameters:
        slot = inner.names[name] = compiler.slot()
        slots.append(slot)
    names = tuple(name for name, _ in node.parameters)
    types = tuple(kind for _, kind in node.parameters)
    if node.external:
        return lambda scope: Function(names, _external, "", types)
    body, cost = compiler.code(node.body, inner), weight(node.body)
    return lambda scope: _closure(dict(scope), names, types, slots, body, cost)


def _external(*_values: Any) -> Any:
    raise Problem("不支持外部函数（Java、PMML）")


def _closure(captured: Scope, names: tuple[str, ...], types: tuple[Any, ...], slots: list[int], body: Code, cost: int) -> Closure:
    def call(*values: Any) -> Any:
        if len(values) != len(slots):
            raise Problem(f"函数需要 {len(slots)} 个参数，得到 {len(values)} 个")
        local = dict(captured)
        for slot, value, kind in zip(slots, values, types, strict=True):
            local[slot] = coerce(value, kind)
        budget = local[BUDGET]
        budget.spend(cost)
        budget.enter()
        try:
            return body(local)
        finally:
            budget.leave()
    function = Closure(names, call, "", types)
    object.__setattr__(function, "captured", captured)
    return function


MAKERS: dict[type, Callable[[Compiler, Any, Frame | None], Code]] = {
    nodes.Call: _call, nodes.FunctionDefinition: _definition,
}
