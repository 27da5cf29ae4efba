"""Types of FEEL and of DMN item definitions: does a value conform, and can it be made to."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.expressions.errors import Problem
from engine.expressions.values import Function, Range, kind_of, title_of


@dataclass(slots=True)
class Type:
    """Any type. ``Type()`` itself is Any."""

    title: str = "Any"

    def conforms(self, value: Any) -> bool:
        """True when the value (or null) is of the type."""
        return True


@dataclass(slots=True)
class Simple(Type):
    """number, string, boolean, date, time, "date and time", the durations."""

    def conforms(self, value: Any) -> bool:
        return value is None or kind_of(value) == self.title


@dataclass(slots=True)
class NullType(Type):
    title: str = "Null"

    def conforms(self, value: Any) -> bool:
        return value is None


@dataclass(slots=True)
class ListType(Type):
    title: str = "list"
    item: Type = field(default_factory=Type)

    def conforms(self, value: Any) -> bool:
        return value is None or kind_of(value) == "list" and all(self.item.conforms(item) for item in value)


@dataclass(slots=True)
class ContextType(Type):
    """A context with at least these entries."""

    title: str = "context"
    entries: dict[str, Type] = field(default_factory=dict)

    def conforms(self, value: Any) -> bool:
        if value is None:
            return True
        return kind_of(value) == "context" and all(name in value and kind.conforms(value[name]) for name, kind in self.entries.items())


@dataclass(slots=True)
class RangeType(Type):
    title: str = "range"
    item: Type = field(default_factory=Type)

    def conforms(self, value: Any) -> bool:
        return value is None or isinstance(value, Range) and self.item.conforms(value.start) and self.item.conforms(value.end)


@dataclass(slots=True)
class FunctionType(Type):
    title: str = "function"
    parameters: list[Type] = field(default_factory=list)
    result: Type = field(default_factory=Type)

    def conforms(self, value: Any) -> bool:
        if value is None:
            return True
        if not isinstance(value, Function) or len(value.parameters) != len(self.parameters):
            return False
        given = value.types or (Type(),) * len(value.parameters)
        wider = all(assignable(wanted, have if have is not None else Type()) for wanted, have in zip(self.parameters, given, strict=True))
        unknown = value.result is None or type(base_of(value.result)) is Type
        return wider and (unknown or assignable(value.result, self.result))


@dataclass(slots=True)
class Allowed(Type):
    """A type with allowed values; ``check`` says whether one (item) value is allowed."""

    base: Type = field(default_factory=Type)
    check: Callable[[Any], bool] = bool
    every_item: bool = False

    def conforms(self, value: Any) -> bool:
        if value is None or not self.base.conforms(value):
            return value is None
        if self.every_item and kind_of(value) == "list":
            return all(item is None or self.check(item) for item in value)
        return self.check(value)


@dataclass(slots=True)
class Late(Type):
    """A type by name, looked up when it is first needed, so that item definitions may stand in any order and refer to themselves."""

    lookup: Callable[[], Type] = Type
    found: Type | None = None

    def resolve(self) -> Type:
        if self.found is None:
            self.found = self.lookup()
        return self.found

    def conforms(self, value: Any) -> bool:
        return value is None or self.resolve().conforms(value)


ANY = Type()
SIMPLE: dict[str, Type] = {
    "Any": ANY, "Null": NullType(), "list": ListType(), "context": ContextType(), "range": RangeType(),
    **{name: Simple(name) for name in (
        "number", "string", "boolean", "date", "time", "date and time", "days and time duration", "years and months duration")},
}
SIMPLE["dateTime"] = SIMPLE["date and time"]
SIMPLE["dayTimeDuration"] = SIMPLE["days and time duration"]
SIMPLE["yearMonthDuration"] = SIMPLE["years and months duration"]
Types = Mapping[str, Type]


def plain(kind: Type) -> Type:
    """The type behind a late name."""
    return kind.resolve() if isinstance(kind, Late) else kind


def base_of(kind: Type) -> Type:
    """The type behind late names and allowed values."""
    kind = plain(kind)
    while isinstance(kind, Allowed):
        kind = plain(kind.base)
    return kind


def assignable(have: Type, want: Type) -> bool:
    """Whether every value of ``have`` may stand where ``want`` is asked."""
    have, want = base_of(have), base_of(want)
    if type(want) is Type or type(have) is NullType:
        return True
    if isinstance(have, ListType) and isinstance(want, ListType) or isinstance(have, RangeType) and isinstance(want, RangeType):
        return assignable(have.item, want.item)
    if isinstance(have, ContextType) and isinstance(want, ContextType):
        return all(name in have.entries and assignable(have.entries[name], kind) for name, kind in want.entries.items())
    if isinstance(have, FunctionType) and isinstance(want, FunctionType):
        return (len(have.parameters) == len(want.parameters) and assignable(have.result, want.result)
                and all(assignable(w, h) for h, w in zip(have.parameters, want.parameters, strict=True)))
    return type(have) is type(want) and have.title == want.title


def instance_of(value: Any, kind: Type) -> bool:
    """``value instance of kind``: null is an instance of Null only; allowed values don't count."""
    if value is None:
        return isinstance(base_of(kind), NullType)
    return _without_allowed(kind, 0).conforms(value)


def _without_allowed(kind: Type, depth: int) -> Type:
    kind = base_of(kind)
    if depth > 20:
        return kind
    if isinstance(kind, ListType):
        return ListType(kind.title, _without_allowed(kind.item, depth + 1))
    if isinstance(kind, ContextType):
        return ContextType(kind.title, {name: _without_allowed(entry, depth + 1) for name, entry in kind.entries.items()})
    return kind


def coerce(value: Any, kind: Type | None) -> Any:
    """The value as the type wants it (a list of one for its item, a date for a date and time); raises Problem when it can't be."""
    if kind is None or type(kind) is Type or kind.conforms(value):
        return value
    wanted = base_of(kind)
    if kind_of(value) == "list" and not isinstance(wanted, ListType) and len(value) == 1 and kind.conforms(value[0]):
        return value[0]
    if isinstance(wanted, ListType) and kind_of(value) != "list" and kind.conforms([value]):
        return [value]
    if wanted.title == "date and time" and kind_of(value) == "date":
        from engine.expressions.temporal import date_days, make_datetime
        return make_datetime(date_days(value), 0, None)
    reason = "值不在允许的范围内" if base_of(kind).conforms(value) else f"得到{title_of(value)}"
    raise Problem(f"类型不符，需要 {kind.title}，{reason}")
