"""How built-in functions are declared and called: by position or by name, with the conversions of DMN 10.3.2.9.4."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.expressions.errors import LimitReached, Problem
from engine.expressions.limits import MAX_LIST, MAX_STRING
from engine.expressions.numbers import as_number
from engine.expressions.values import KIND_TITLES, Function, kind_of, title_of


@dataclass(frozen=True, slots=True)
class Parameter:
    """``kind`` is a FEEL kind, "any", "moment" (date or date and time), "list" or "comparable"; optional ones may be absent or null."""

    name: str
    kind: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Overload:
    parameters: tuple[Parameter, ...]
    function: Callable[..., Any]
    variadic: bool = False

    def accepts(self, count: int) -> bool:
        if self.variadic:
            return count > 0
        return sum(not p.optional for p in self.parameters) <= count <= len(self.parameters)

    def run(self, values: list[Any]) -> Any:
        """Calls with values in the order of the parameters; raises Problem when one does not fit."""
        if self.variadic:
            return self.function(values)
        parameters = self.parameters
        converted = [converted_to(value, parameters[index]) for index, value in enumerate(values)]
        converted += [None] * (len(parameters) - len(values))
        return self.function(*converted)


_MISSING = object()


@dataclass(slots=True)
class Builtin:
    name: str
    wants_scope: bool = False
    overloads: list[Overload] = field(default_factory=list)

    def plan(self, count: int, names: list[str] | None) -> Callable[[list[Any]], Any] | str:
        """How to call with so many (or so named) arguments; a Chinese message when nothing fits."""
        if names is None:
            fitting = [overload for overload in self.overloads if overload.accepts(count)]
            if not fitting:
                return f"函数 {self.name} 的参数个数不对：{count} 个"
            return _first_of(fitting)
        orders = [(overload, _order(overload, names)) for overload in self.overloads]
        named = [(overload, order) for overload, order in orders if order is not None]
        if named:
            return _named(named)
        return f"函数 {self.name} 没有这样的参数：{'、'.join(names)}"

    def call(self, *values: Any) -> Any:
        if self.wants_scope:
            values = ({}, *values)
        planned = self.plan(len(values), None)
        if isinstance(planned, str):
            raise Problem(planned)
        return planned(list(values))

    def as_function(self) -> Function:
        """The function as a value, to be passed to another function."""
        fixed = [overload for overload in self.overloads if not overload.variadic]
        parameters = tuple(p.name for p in (fixed or self.overloads)[0].parameters)
        return Function(parameters, self.call, self.name, builtin=self)


def _first_of(overloads: list[Overload]) -> Callable[[list[Any]], Any]:
    if len(overloads) == 1:
        return overloads[0].run

    def run(values: list[Any]) -> Any:
        for overload in overloads[:-1]:
            if overload.variadic or all(_fits(value, p) for value, p in zip(values, overload.parameters, strict=False)):
                return overload.run(values)
        return overloads[-1].run(values)
    return run


def _fits(value: Any, parameter: Parameter) -> bool:
    try:
        converted_to(value, parameter)
    except Problem:
        return False
    return True


def _order(overload: Overload, names: list[str]) -> list[int | None] | None:
    if overload.variadic:
        return None
    known = [p.name for p in overload.parameters]
    if not set(names) <= set(known):
        return None
    if any(not p.optional and p.name not in names for p in overload.parameters):
        return None
    return [names.index(name) if name in names else None for name in known]


def _named(candidates: list[tuple[Overload, list[int | None]]]) -> Callable[[list[Any]], Any]:
    def run(values: list[Any]) -> Any:
        for position, (overload, order) in enumerate(candidates, 1):
            ordered = [None if index is None else values[index] for index in order]
            fits = all(_fits(value, parameter) for value, parameter in zip(ordered, overload.parameters, strict=True))
            if fits or position == len(candidates):
                return overload.run(ordered)
        raise Problem("没有合适的参数")
    return run


_GROUPS: dict[str, tuple[str, ...]] = {
    "moment": ("date", "date and time"),
    "duration": ("days and time duration", "years and months duration"),
}


def converted_to(value: Any, parameter: Parameter) -> Any:
    """The value as the parameter wants it; raises Problem."""
    wanted = parameter.kind
    if wanted == "any":
        return value
    kind = kind_of(value)
    if wanted == "list":
        if value is None and not parameter.optional:
            raise Problem(f"参数 {parameter.name} 不能为空")
        return value if kind == "list" or value is None else [value]
    if kind == "list" and len(value) == 1:
        value = value[0]
        kind = kind_of(value)
    if kind == wanted:
        return as_number(value) if kind == "number" else value
    if value is None and parameter.optional or kind in _GROUPS.get(wanted, ()):
        return value
    raise Problem(f"参数 {parameter.name} 需要{KIND_TITLES.get(wanted, wanted)}，得到{title_of(value)}")


BUILTINS: dict[str, Builtin] = {}


def builtin(name: str, *signatures: str, scope: bool = False) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declares a function: ``builtin("substring", "string:string, start position:number, length:number?")``.

    ``...`` as the signature passes all arguments as one list. Several signatures (or several declarations of one name) are tried
    in order. With ``scope`` the function gets the scope as its first argument.
    """
    def declare(function: Callable[..., Any]) -> Callable[..., Any]:
        entry = BUILTINS.setdefault(name, Builtin(name, scope))
        for signature in signatures:
            entry.overloads.append(_overload(signature, function))
        return function
    return declare


def _overload(signature: str, function: Callable[..., Any]) -> Overload:
    if signature == "...":
        return Overload((Parameter("list", "any"),), function, True)
    parameters = []
    for part in filter(None, (piece.strip() for piece in signature.split(","))):
        name, kind = (side.strip() for side in part.split(":"))
        parameters.append(Parameter(name, kind.rstrip("?"), kind.endswith("?")))
    return Overload(tuple(parameters), function)


def bounded_list(items: list[Any]) -> list[Any]:
    if len(items) > MAX_LIST:
        raise LimitReached(f"列表超过 {MAX_LIST} 项")
    return items


def bounded_text(text: str) -> str:
    if len(text) > MAX_STRING:
        raise LimitReached(f"文本超过 {MAX_STRING} 个字符")
    return text


def cost_of(values: list[Any]) -> int:
    """Steps to charge for a call that reads these values."""
    cost = 1
    for value in values:
        if isinstance(value, (list, str, Mapping)):
            cost += len(value) >> 4
    return cost
