"""Closures of literals, names, arithmetic, comparison, three-valued logic and choice."""
from __future__ import annotations

import operator
from collections.abc import Callable
from decimal import Decimal, DecimalException
from typing import TYPE_CHECKING, Any

from engine.expressions import nodes
from engine.expressions.arithmetic import NUMBER_METHODS, OPERATORS, negate
from engine.expressions.builtins import BUILTINS, cost_of
from engine.expressions.compare import compare, contained, equal, greater, greater_equal, less, less_equal, same, within
from engine.expressions.errors import Problem
from engine.expressions.limits import BUDGET
from engine.expressions.scopes import Code, Frame, Scope, resolve
from engine.expressions.types import instance_of
from engine.expressions.values import Range, kind_of, title_of

if TYPE_CHECKING:
    from engine.expressions.compiler import Compiler

MISSING = object()
Test = Callable[[Any, Scope], Any]


def _literal(compiler: Compiler, node: nodes.Literal, frame: Frame | None) -> Code:
    value = node.value
    return lambda scope: value


def _name(compiler: Compiler, node: nodes.Name, frame: Frame | None) -> Code:
    name = node.name
    filters, slot = resolve(name, frame)
    outer: Code
    if slot is None:
        outer = _global(compiler, node, surely=not filters)
    elif filters and filters[-1] == slot:
        return _item(filters, slot, name)
    else:
        outer = _local(slot)
    return _through_filters(filters, name, outer) if filters else outer


def _local(slot: int) -> Code:
    return lambda scope: scope[slot]


def _global(compiler: Compiler, node: nodes.Name, *, surely: bool) -> Code:
    name = node.name
    builtin = BUILTINS.get(name)
    value = builtin.as_function() if builtin is not None else None
    if builtin is None and surely or name in compiler.declared:
        compiler.free.add(name)
    if not compiler.strict or value is not None:
        return lambda scope: scope.get(name, value)
    fail = compiler.failure(node)

    def strict(scope: Scope) -> Any:
        found = scope.get(name, MISSING)
        return fail(Problem(f"没有名为“{name}”的数据")) if found is MISSING else found
    return strict


def _item(filters: list[int], slot: int, name: str) -> Code:
    def item(scope: Scope) -> Any:
        value = scope[slot]
        return value[name] if type(value) is dict and name in value else value
    return _through_filters(filters[:-1], name, item) if len(filters) > 1 else item


def _through_filters(filters: list[int], name: str, outer: Code) -> Code:
    def run(scope: Scope) -> Any:
        for slot in filters:
            value = scope[slot]
            if kind_of(value) == "context" and name in value:
                return value[name]
        return outer(scope)
    return run


def _chain(compiler: Compiler, node: nodes.Chain, frame: Frame | None) -> Code:
    first = compiler.code(node.first, frame)
    steps = []
    for sign, operand, at in node.rest:
        fail = compiler.failure(nodes.Node(at))
        steps.append((NUMBER_METHODS.get(sign), OPERATORS[sign], compiler.code(operand, frame), fail))
    if len(steps) == 1:
        return _binary(first, *steps[0], charge=compiler.loops)

    def run(scope: Scope) -> Any:
        value = first(scope)
        for method, apply, operand, fail in steps:
            right = operand(scope)
            try:
                if method is not None and type(value) is Decimal and type(right) is Decimal:
                    value = method(value, right)
                else:
                    value = apply(value, right)
            except (Problem, DecimalException) as problem:
                value = fail(_problem(problem))
        return value
    return run


def _problem(error: Exception) -> Problem:
    return error if isinstance(error, Problem) else Problem("计算结果超出范围")


def _binary(left: Code, method: Any, operator: Any, right: Code, fail: Any, *, charge: bool) -> Code:
    def run(scope: Scope) -> Any:
        a, b = left(scope), right(scope)
        try:
            if method is not None and type(a) is Decimal and type(b) is Decimal:
                return method(a, b)
            if charge and type(a) is str and BUDGET in scope:
                scope[BUDGET].spend(len(a) >> 6)
            return operator(a, b)
        except (Problem, DecimalException) as problem:
            return fail(_problem(problem))
    return run


def _negation(compiler: Compiler, node: nodes.Negation, frame: Frame | None) -> Code:
    operand = compiler.code(node.operand, frame)
    return compiler.guarded(node, lambda scope: negate(operand(scope)))


_LOGIC_TYPES = (bool, type(None))


def _junction(compiler: Compiler, node: nodes.Junction, frame: Frame | None) -> Code:
    decisive = node.word == "or"
    neutral = not decisive
    operands = [compiler.code(operand, frame) for operand in node.operands]
    fails = [compiler.failure(operand) for operand in node.operands]
    pairs = list(zip(operands, fails, strict=True))
    if len(pairs) == 2:
        return _two(decisive, *pairs[0], *pairs[1])

    def run(scope: Scope) -> Any:
        result: Any = neutral
        for operand, fail in pairs:
            value = operand(scope)
            if value is decisive:
                return decisive
            if value is not neutral:
                if value is not None:
                    fail(Problem(f"and、or 的两边应是“是/否”，得到{title_of(value)}"))
                result = None
        return result
    return run


def _two(decisive: bool, first: Code, first_fail: Any, second: Code, second_fail: Any) -> Code:
    neutral = not decisive

    def run(scope: Scope) -> Any:
        a = first(scope)
        if a is decisive:
            return decisive
        b = second(scope)
        if b is decisive or a is neutral and b is neutral:
            return b
        for value, fail in ((a, first_fail), (b, second_fail)):
            if value is not None and value is not neutral:
                fail(Problem(f"and、or 的两边应是“是/否”，得到{title_of(value)}"))
        return None
    return run


ORDERS: dict[str, Callable[[Any, Any], Any]] = {
    "=": equal, "!=": lambda a, b: not equal(a, b), "<": less, "<=": less_equal, ">": greater, ">=": greater_equal,
}


QUICK: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}


_QUICK_PAIRS = frozenset({(Decimal, Decimal), (str, str), (int, Decimal), (Decimal, int), (int, int)})


def _comparison(compiler: Compiler, node: nodes.Comparison, frame: Frame | None) -> Code:
    left, right = compiler.code(node.left, frame), compiler.code(node.right, frame)
    operation, fail = ORDERS[node.sign], compiler.failure(node)
    charge = compiler.loops
    quick = QUICK[node.sign]

    def run(scope: Scope) -> Any:
        a, b = left(scope), right(scope)
        pair = (type(a), type(b))
        if pair in _QUICK_PAIRS:
            return quick(a, b)
        try:
            if charge and type(a) is list and BUDGET in scope:
                scope[BUDGET].spend(cost_of([a]))
            return operation(a, b)
        except Problem as problem:
            return fail(problem)
    return run


def _between(compiler: Compiler, node: nodes.Between, frame: Frame | None) -> Code:
    value, low, high = (compiler.code(part, frame) for part in (node.value, node.low, node.high))

    def run(scope: Scope) -> Any:
        v, a, b = value(scope), low(scope), high(scope)
        lower, upper = compare(a, v), compare(v, b)
        if lower is None or upper is None:
            return None
        return lower <= 0 and upper <= 0
    return compiler.guarded(node, run)


def _if(compiler: Compiler, node: nodes.If, frame: Frame | None) -> Code:
    condition, then, otherwise = (compiler.code(part, frame) for part in (node.condition, node.then, node.otherwise))
    fail = compiler.failure(node.condition)

    def run(scope: Scope) -> Any:
        value = condition(scope)
        if value is True:
            return then(scope)
        if value is not False and value is not None:
            fail(Problem(f"if 的条件应是“是/否”，得到{title_of(value)}"))
        return otherwise(scope)
    return run


def _instance(compiler: Compiler, node: nodes.InstanceOf, frame: Frame | None) -> Code:
    value, kind = compiler.code(node.value, frame), node.type
    return lambda scope: instance_of(value(scope), kind)


def _in(compiler: Compiler, node: nodes.In, frame: Frame | None) -> Code:
    value = compiler.code(node.value, frame)
    test = test_any([test_of(compiler, test, frame) for test in node.tests])
    return lambda scope: test(value(scope), scope)


def test_any(tests: list[Test]) -> Test:
    """True when one test is; null when none is and one is null."""
    if len(tests) == 1:
        return tests[0]

    def run(value: Any, scope: Scope) -> Any:
        result: Any = False
        for test in tests:
            answer = test(value, scope)
            if answer is True:
                return True
            if answer is None:
                result = None
        return result
    return run


def test_of(compiler: Compiler, node: nodes.Node, frame: Frame | None) -> Test:
    """One test on the right of ``in``: a comparison with the value, or an expression that equals or contains it."""
    constants = constants_of(node)
    if constants is not None:
        return _constant_test(compiler, node, constants, frame)
    fail = compiler.failure(node)
    target: Code
    if isinstance(node, nodes.RangeLiteral) and node.operator:
        end = node.end if node.end is not None else node.start
        assert end is not None
        target, operation = compiler.code(end, frame), ORDERS[node.operator]
    else:
        target, operation = compiler.code(node, frame), contained

    def run(value: Any, scope: Scope) -> Any:
        try:
            return operation(value, target(scope))
        except Problem as problem:
            return fail(problem)
    return run


def constants_of(node: nodes.Node) -> frozenset[Any] | None:
    """The values of a literal, or of a list of literals, when all are texts or all are numbers."""
    items = node.items if isinstance(node, nodes.ListLiteral) else [node]
    if not items or not all(isinstance(item, nodes.Literal) for item in items):
        return None
    values = [item.value for item in items if isinstance(item, nodes.Literal)]
    if all(type(value) is str for value in values) or all(type(value) is Decimal for value in values):
        return frozenset(values)
    return None


def _constant_test(compiler: Compiler, node: nodes.Node, values: frozenset[Any], frame: Frame | None) -> Test:
    kinds: tuple[type, ...] = (str,) if type(next(iter(values))) is str else (Decimal, int)
    single = not isinstance(node, nodes.ListLiteral)
    slow_value, fail = compiler.code(node, frame), compiler.failure(node)

    def run(value: Any, scope: Scope) -> Any:
        if type(value) in kinds:
            return value in values
        try:
            return equal(value, slow_value(scope)) if single else contained(value, slow_value(scope))
        except Problem as problem:
            return fail(problem)
    return run


def _range(compiler: Compiler, node: nodes.RangeLiteral, frame: Frame | None) -> Code:
    none: Code = lambda scope: None  # noqa: E731
    start = compiler.code(node.start, frame) if node.start is not None else none
    end = compiler.code(node.end, frame) if node.end is not None else none
    with_start, with_end, operator = node.start_included, node.end_included, node.operator
    return compiler.guarded(node, lambda scope: checked_range(start(scope), end(scope), with_start, with_end, operator))


def checked_range(start: Any, end: Any, with_start: bool, with_end: bool, operator: str = "") -> Range:
    """A range whose ends can be compared; raises Problem."""
    if not operator:
        compare(start, end)
    return Range(start, end, with_start, with_end, operator)


MAKERS: dict[type, Callable[[Compiler, Any, Frame | None], Code]] = {
    nodes.Literal: _literal, nodes.Name: _name, nodes.Chain: _chain, nodes.Negation: _negation, nodes.Junction: _junction,
    nodes.Comparison: _comparison, nodes.Between: _between, nodes.If: _if, nodes.InstanceOf: _instance, nodes.In: _in,
    nodes.RangeLiteral: _range,
}
__all__ = ["MAKERS", "Test", "checked_range", "same", "test_any", "test_of", "within"]
