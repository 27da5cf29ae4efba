"""List functions."""
from __future__ import annotations

from decimal import Decimal, DecimalException
from functools import cmp_to_key
from typing import Any

from engine.expressions.builtins import bounded_list, builtin
from engine.expressions.compare import compare, equal, order_key, same
from engine.expressions.compile_calls import invoke
from engine.expressions.errors import LimitReached, Problem
from engine.expressions.numbers import as_integer, as_number
from engine.expressions.values import NUMBERS, Function, kind_of, title_of

_MAX_PAIRS = 300_000


@builtin("list contains", "list:list, element:any")
def list_contains(items: list[Any], element: Any) -> bool:
    return any(same(item, element) for item in items)


@builtin("count", "list:list")
def count(items: list[Any]) -> Decimal:
    return Decimal(len(items))


def spread(values: list[Any]) -> list[Any]:
    """The items of ``f(list)`` or of ``f(a, b, c)``."""
    if len(values) == 1:
        value = values[0]
        if value is None:
            raise Problem("列表不能为空值")
        return value if kind_of(value) == "list" else [value]
    return values


def _extreme(values: list[Any], sign: int) -> Any:
    items = spread(values)
    if not items:
        return None
    best = items[0]
    order_key(best)
    for item in items[1:]:
        order = compare(item, best)
        if order is None:
            raise Problem("空值没有大小")
        if order == sign:
            best = item
    return best


@builtin("min", "list:list")
def minimum_of(items: list[Any]) -> Any:
    return _extreme([items], -1)


@builtin("min", "...")
def minimum(values: list[Any]) -> Any:
    return _extreme(values, -1)


@builtin("max", "list:list")
def maximum_of(items: list[Any]) -> Any:
    return _extreme([items], 1)


@builtin("max", "...")
def maximum(values: list[Any]) -> Any:
    return _extreme(values, 1)


def _numbers(values: list[Any]) -> list[Decimal]:
    return [as_number(item) for item in spread(values)]


def _total(numbers: list[Decimal]) -> Decimal:
    total = Decimal(0)
    try:
        for number in numbers:
            total = NUMBERS.add(total, number)
    except DecimalException:
        raise Problem("计算结果超出范围") from None
    return total


@builtin("sum", "list:list")
def sum_of(items: list[Any]) -> Any:
    return sum_all([items])


@builtin("sum", "...")
def sum_all(values: list[Any]) -> Any:
    """The sum of numbers or of durations of one kind; null for no items."""
    items = spread(values)
    if not items:
        return None
    if kind_of(items[0]) == "number":
        return _total(_numbers(values))
    from engine.expressions.arithmetic import OPERATORS
    if "duration" not in kind_of(items[0]):
        raise Problem(f"{title_of(items[0])}不能求和")
    total = items[0]
    for item in items[1:]:
        if kind_of(item) != kind_of(total):
            raise Problem("不同类型的值不能求和")
        total = OPERATORS["+"](total, item)
    return total


@builtin("mean", "list:list")
def mean_of(items: list[Any]) -> Any:
    return mean([items])


@builtin("mean", "...")
def mean(values: list[Any]) -> Any:
    numbers = _numbers(values)
    return NUMBERS.divide(_total(numbers), Decimal(len(numbers))) if numbers else None


@builtin("product", "list:list")
def product_of(items: list[Any]) -> Any:
    return product([items])


@builtin("product", "...")
def product(values: list[Any]) -> Any:
    numbers = _numbers(values)
    if not numbers:
        return None
    result = Decimal(1)
    try:
        for number in numbers:
            result = NUMBERS.multiply(result, number)
    except DecimalException:
        raise Problem("计算结果超出范围") from None
    return result


@builtin("median", "list:list")
def median_of(items: list[Any]) -> Any:
    return median([items])


@builtin("median", "...")
def median(values: list[Any]) -> Any:
    numbers = sorted(_numbers(values))
    if not numbers:
        return None
    middle = len(numbers) // 2
    if len(numbers) % 2:
        return numbers[middle]
    return NUMBERS.divide(NUMBERS.add(numbers[middle - 1], numbers[middle]), Decimal(2))


@builtin("stddev", "list:list")
def stddev_of(items: list[Any]) -> Any:
    return stddev([items])


@builtin("stddev", "...")
def stddev(values: list[Any]) -> Any:
    """The standard deviation of a sample; null for fewer than two numbers."""
    numbers = _numbers(values)
    if len(numbers) < 2:
        raise Problem("标准差至少需要两个数字")
    average = NUMBERS.divide(_total(numbers), Decimal(len(numbers)))
    try:
        squares = _total([NUMBERS.power(NUMBERS.subtract(number, average), 2) for number in numbers])
    except DecimalException:
        raise Problem("计算结果超出范围") from None
    return NUMBERS.sqrt(NUMBERS.divide(squares, Decimal(len(numbers) - 1)))


@builtin("mode", "list:list")
def mode_of(items: list[Any]) -> Any:
    return mode([items])


@builtin("mode", "...")
def mode(values: list[Any]) -> Any:
    """The most frequent numbers, ascending."""
    counts: dict[Decimal, int] = {}
    for number in _numbers(values):
        counts[number] = counts.get(number, 0) + 1
    most = max(counts.values(), default=0)
    return sorted(number for number, times in counts.items() if times == most)


def _junction(values: list[Any], decisive: bool) -> bool | None:
    result: bool | None = not decisive
    for item in spread(values):
        if item is decisive:
            return decisive
        if item is None:
            result = None
        elif kind_of(item) != "boolean":
            raise Problem(f"需要“是/否”，得到{title_of(item)}")
    return result


@builtin("all", "list:list")
def all_of(items: list[Any]) -> bool | None:
    return _junction([items], False)


@builtin("all", "...")
def all_values(values: list[Any]) -> bool | None:
    return _junction(values, False)


@builtin("any", "list:list")
def any_of(items: list[Any]) -> bool | None:
    return _junction([items], True)


@builtin("any", "...")
def any_values(values: list[Any]) -> bool | None:
    return _junction(values, True)


@builtin("not", "negand:any")
def negation(value: Any) -> bool | None:
    if value is None:
        return None
    if type(value) is not bool:
        raise Problem(f"not 需要“是/否”，得到{title_of(value)}")
    return not value


@builtin("sublist", "list:list, start position:number, length:number?")
def sublist(items: list[Any], start: Decimal, length: Decimal | None) -> list[Any]:
    position = as_integer(start)
    if not position or abs(position) > len(items):
        raise Problem("起始位置超出列表")
    first = position - 1 if position > 0 else len(items) + position
    if length is None:
        return list(items[first:])
    size = as_integer(length)
    if size < 0 or first + size > len(items):
        raise Problem("长度超出列表")
    return list(items[first:first + size])


@builtin("append", "...")
def append(values: list[Any]) -> list[Any]:
    first = values[0]
    if first is None:
        raise Problem("列表不能为空值")
    return bounded_list([*(first if kind_of(first) == "list" else [first]), *values[1:]])


@builtin("append", "list:list, item:any")
def append_one(items: list[Any], item: Any) -> list[Any]:
    return bounded_list([*items, item])


@builtin("concatenate", "...")
def concatenate(values: list[Any]) -> list[Any]:
    result: list[Any] = []
    for value in values:
        if value is None:
            raise Problem("列表不能为空值")
        result.extend(value if kind_of(value) == "list" else [value])
        bounded_list(result)
    return result


def _position(items: list[Any], position: Decimal) -> int:
    index = as_integer(position)
    if not index or abs(index) > len(items):
        raise Problem("位置超出列表")
    return index - 1 if index > 0 else len(items) + index


@builtin("insert before", "list:list, position:number, newItem:any")
def insert_before(items: list[Any], position: Decimal, item: Any) -> list[Any]:
    at = _position(items, position)
    return bounded_list([*items[:at], item, *items[at:]])


@builtin("remove", "list:list, position:number")
def remove(items: list[Any], position: Decimal) -> list[Any]:
    at = _position(items, position)
    return [*items[:at], *items[at + 1:]]


@builtin("list replace", "list:list, position:number, newItem:any")
def list_replace(items: list[Any], position: Decimal, item: Any) -> list[Any]:
    at = _position(items, position)
    return [*items[:at], item, *items[at + 1:]]


@builtin("list replace", "list:list, match:function, newItem:any")
def list_replace_matching(items: list[Any], match: Function, new: Any) -> list[Any]:
    result = []
    for item in items:
        answer = invoke(match, [item, new], None)
        if type(answer) is not bool:
            raise Problem("匹配函数应返回“是/否”")
        result.append(new if answer else item)
    return result


@builtin("reverse", "list:list")
def reverse(items: list[Any]) -> list[Any]:
    return list(items[::-1])


@builtin("index of", "list:list, match:any")
def index_of(items: list[Any], match: Any) -> list[Decimal]:
    return [Decimal(position) for position, item in enumerate(items, 1) if same(item, match)]


def _distinct(items: list[Any]) -> list[Any]:
    """First occurrences; strings and numbers by hash, the rest pairwise and bounded."""
    seen: set[Any] = set()
    others: list[Any] = []
    result: list[Any] = []
    pairs = 0
    for item in items:
        kind = kind_of(item)
        if kind in ("string", "number", "boolean", "null"):
            key = (kind, as_number(item) if kind == "number" else item)
            if key in seen:
                continue
            seen.add(key)
        else:
            pairs += len(others)
            if pairs > _MAX_PAIRS:
                raise LimitReached("列表太长，不能逐个比较")
            if any(same(item, other) for other in others):
                continue
            others.append(item)
        result.append(item)
    return result


@builtin("union", "...")
def union(values: list[Any]) -> list[Any]:
    return _distinct(concatenate(values))


@builtin("distinct values", "list:list")
def distinct_values(items: list[Any]) -> list[Any]:
    return _distinct(items)


@builtin("flatten", "list:list")
def flatten(items: list[Any]) -> list[Any]:
    result: list[Any] = []
    stack = [iter(items)]
    while stack:
        for item in stack[-1]:
            if kind_of(item) == "list":
                if len(stack) > 1000:
                    raise LimitReached("列表嵌套太深")
                stack.append(iter(item))
                break
            result.append(item)
        else:
            stack.pop()
    return bounded_list(result)


@builtin("sort", "list:list, precedes:function")
def sort_by(items: list[Any], precedes: Function) -> list[Any]:
    def order(left: Any, right: Any) -> int:
        if invoke(precedes, [left, right], None) is True:
            return -1
        return 1 if invoke(precedes, [right, left], None) is True else 0
    return sorted(items, key=cmp_to_key(order))


@builtin("sort", "list:list")
def sort(items: list[Any]) -> list[Any]:
    kinds = {kind_of(item) for item in items}
    if len(kinds) > 1:
        raise Problem("不同类型的值不能排序")
    return sorted(items, key=lambda item: order_key(item)[1])


__all__ = ["equal", "spread"]
