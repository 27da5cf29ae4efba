"""Closures of lists, contexts, paths, filters, ``for``, ``some`` and ``every``."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from engine.expressions import nodes
from engine.expressions.compare import compare
from engine.expressions.errors import LimitReached, Problem
from engine.expressions.limits import BUDGET, MAX_LIST, MAX_NODES
from engine.expressions.nodes import children
from engine.expressions.numbers import as_integer, as_number
from engine.expressions.paths import property_of
from engine.expressions.scopes import Code, Frame, Scope
from engine.expressions.temporal import date_days, make_date
from engine.expressions.values import Function, Range, kind_of, title_of

if TYPE_CHECKING:
    from engine.expressions.compiler import Compiler

Steps = Callable[[Scope], Iterator[Any]]


def _list(compiler: Compiler, node: nodes.ListLiteral, frame: Frame | None) -> Code:
    items = [compiler.code(item, frame) for item in node.items]
    return lambda scope: [item(scope) for item in items]


def _context(compiler: Compiler, node: nodes.ContextLiteral, frame: Frame | None) -> Code:
    inner = Frame(frame)
    entries: list[tuple[str, int, Code]] = []
    keys: set[str] = set()
    repeated = False
    for key, value, _ in node.entries:
        slot = compiler.slot()
        if isinstance(value, nodes.FunctionDefinition):
            inner.names[key] = slot  # so that it can call itself; any other value of this name means the outer one
        code = compiler.code(value, inner)
        inner.names[key] = slot
        entries.append((key, slot, code))
        repeated = repeated or key in keys
        keys.add(key)
    if repeated:
        def twice(scope: Scope) -> Any:
            raise Problem("上下文里有重复的名称")
        return compiler.guarded(node, twice)
    return _context_code(entries)


def _context_code(entries: list[tuple[str, int, Code]]) -> Code:
    def run(scope: Scope) -> dict[str, Any]:
        local = dict(scope)
        result = {}
        for key, slot, code in entries:
            value = result[key] = local[slot] = code(local)
            if type(value) is Closure:
                value.captured[slot] = value
        return result
    return run


class Closure(Function):
    """A function defined in FEEL; ``captured`` is its scope, so that a context entry can call itself."""

    captured: Scope


def _path(compiler: Compiler, node: nodes.Path, frame: Frame | None) -> Code:
    base, name = compiler.code(node.base, frame), node.name
    fail = compiler.failure(node)

    def run(scope: Scope) -> Any:
        value = base(scope)
        if type(value) is dict and name in value:
            return value[name]
        try:
            return property_of(value, name)
        except Problem as problem:
            return fail(problem)
    return run


def _filter(compiler: Compiler, node: nodes.Filter, frame: Frame | None) -> Code:
    base = compiler.code(node.base, frame)
    index = _literal_index(node.condition)
    if index is not None:
        return lambda scope: _at(_as_list(base(scope)), index)
    slot = compiler.slot()
    inner = Frame(frame, item_slot=slot)
    condition = compiler.code(node.condition, inner)
    fail, cost = compiler.failure(node.condition), weight(node.condition)

    def run(scope: Scope) -> Any:
        items = _as_list(base(scope))
        if items is None:
            return None
        local = dict(scope)
        budget = local[BUDGET]
        kept = []
        for position, item in enumerate(items):
            budget.spend(cost)
            local[slot] = item
            answer = condition(local)
            if answer is True:
                kept.append(item)
            elif not position and kind_of(answer) == "number":
                return _at(items, as_integer(answer))
            elif answer is not False and answer is not None:
                fail(Problem(f"筛选条件应是“是/否”或序号，得到{title_of(answer)}"))
        return kept
    return run


def weight(node: nodes.Node) -> int:
    """Steps to charge each time that a body is evaluated."""
    return 1 + (nodes.measure(node, MAX_NODES)[1] >> 2)


def _literal_index(condition: nodes.Node) -> int | None:
    if isinstance(condition, nodes.Literal) and type(condition.value) is Decimal and abs(condition.value) < 10**9:
        return int(condition.value)
    return None


def _as_list(value: Any) -> Any:
    return value if kind_of(value) == "list" else None if value is None else [value]


def _at(items: Any, index: int) -> Any:
    if items is None or not index or abs(index) > len(items):
        return None
    return items[index - 1 if index > 0 else index]


def _iterator(compiler: Compiler, domain: nodes.Node, frame: Frame | None) -> Steps:
    if isinstance(domain, nodes.IterationRange):
        start, end = compiler.code(domain.start, frame), compiler.code(domain.end, frame)
        return lambda scope: _between(start(scope), end(scope))
    values = compiler.code(domain, frame)

    return lambda scope: domain_of(values(scope))


def domain_of(value: Any) -> Iterator[Any]:
    """The items to iterate over: of a list, a range of integers or dates, or one value; raises Problem."""
    if value is None:
        raise Problem("不能对空值循环")
    if isinstance(value, Range):
        return _in_range(value)
    return iter(value) if kind_of(value) == "list" else iter([value])


def _between(start: Any, end: Any) -> Iterator[Any]:
    kind = kind_of(start)
    if kind != kind_of(end) or kind not in ("number", "date"):
        raise Problem("循环区间的两端应都是整数或都是日期")
    if kind == "number":
        first, last = _whole(start), _whole(end)
        return (Decimal(number) for number in _steps(first, last))
    return (make_date(days) for days in _steps(date_days(start), date_days(end)))


def _steps(first: int, last: int) -> range:
    return range(first, last + 1) if first <= last else range(first, last - 1, -1)


def _whole(value: Any) -> int:
    number = as_number(value)
    if number != int(number):
        raise Problem("循环区间的两端应是整数")
    return as_integer(number)


def _in_range(bounds: Range) -> Iterator[Any]:
    if bounds.operator or compare(bounds.start, bounds.end) in (1, None):
        raise Problem("这个区间不能逐个取值")
    kind = kind_of(bounds.start)
    if kind not in ("number", "date"):
        raise Problem("只有整数或日期的区间能逐个取值")
    first, last = (_whole(end) if kind == "number" else date_days(end) for end in (bounds.start, bounds.end))
    whole = range(first + (not bounds.start_included), last + bounds.end_included)
    return (Decimal(number) for number in whole) if kind == "number" else (make_date(days) for days in whole)


Loop = Callable[[Scope], Iterator[None]]


def _nest(compiler: Compiler, iterators: list[tuple[str, nodes.Node]], frame: Frame) -> Loop:
    """A generator that binds the loop variables in the scope it is given, once per combination."""
    plan: list[tuple[int, Steps]] = []
    for name, domain in iterators:
        steps = _iterator(compiler, domain, frame)
        slot = compiler.slot()
        frame.names[name] = slot
        plan.append((slot, steps))

    def bind(scope: Scope, level: int) -> Iterator[None]:
        slot, steps = plan[level]
        budget = scope[BUDGET]
        last = level + 1 == len(plan)
        for item in steps(scope):
            budget.tick()
            scope[slot] = item
            if last:
                yield
            else:
                yield from bind(scope, level + 1)
    return lambda scope: bind(scope, 0)


def _for(compiler: Compiler, node: nodes.For, frame: Frame | None) -> Code:
    inner = Frame(frame)
    loop = _nest(compiler, node.iterators, inner)
    partial = compiler.slot()
    inner.names.setdefault("partial", partial)
    result = compiler.code(node.result, inner)
    cost = weight(node.result)
    wants_partial = _mentions(node.result, "partial")

    def run(scope: Scope) -> Any:
        local = dict(scope)
        budget = local[BUDGET]
        results: list[Any] = []
        for _ in loop(local):
            budget.spend(cost)
            if wants_partial:
                budget.spend(len(results) >> 6)
                local[partial] = list(results)
            results.append(result(local))
            if len(results) > MAX_LIST:
                raise LimitReached(f"循环的结果超过 {MAX_LIST} 项")
        return results
    return compiler.guarded(node, run)


def _mentions(root: nodes.Node, name: str) -> bool:
    stack = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, nodes.Name) and node.name == name:
            return True
        stack.extend(children(node))
    return False


def _quantified(compiler: Compiler, node: nodes.Quantified, frame: Frame | None) -> Code:
    inner = Frame(frame)
    loop = _nest(compiler, node.iterators, inner)
    condition = compiler.code(node.condition, inner)
    decisive = node.word == "some"
    cost = weight(node.condition)

    def run(scope: Scope) -> Any:
        local = dict(scope)
        result: Any = not decisive
        for _ in loop(local):
            local[BUDGET].spend(cost)
            answer = condition(local)
            if answer is decisive:
                return decisive
            if answer is None:
                result = None
            elif answer is not (not decisive):
                raise Problem(f"条件应是“是/否”，得到{title_of(answer)}")
        return result
    return compiler.guarded(node, run)


MAKERS: dict[type, Callable[[Compiler, Any, Frame | None], Code]] = {
    nodes.ListLiteral: _list, nodes.ContextLiteral: _context, nodes.Path: _path, nodes.Filter: _filter, nodes.For: _for,
    nodes.Quantified: _quantified,
}
