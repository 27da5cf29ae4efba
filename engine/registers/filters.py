"""What a list is narrowed to, ordered by and shows, as its address says it; judged against the declaration."""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, Select, Table, and_, false, literal_column, or_, select, true

from engine.kernel.clock import SHANGHAI
from engine.kernel.errors import Invalid
from engine.registers.bounds import bound_of
from engine.registers.conditions import Condition as Tree
from engine.registers.conditions import clause_of, plain_condition, read_condition
from engine.registers.declaration import Field, Register
from engine.registers.tables import SQLA, order_text, searched, words_text
from engine.storage.find_words import has_word, short
from engine.storage.tables.organisation import unit

RANGES = frozenset({"number", "money", "date", "datetime"})
LONGEST = 100
LONGEST_TREE = 6000
MOST_CODES = 200
MOST_WORDS = 5
VALID = Field(name="valid", title="有效期", type="validity")
"""Stands for a register's validity among the filters; its codes are those of ``VALIDITY``."""
VALIDITY: Mapping[str, str] = {"in_force": "有效", "soon": "将到期", "ended": "已过期", "not_yet": "未生效"}


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One field's filter: ``codes`` any of which it holds, or ``low`` and ``high`` (both included), or ``text`` it contains."""

    field: Field
    codes: tuple[str, ...] = ()
    low: str = ""
    high: str = ""
    text: str = ""

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The filter as an address writes it."""
        name = f"f.{self.field.name}"
        found = [(name, code) for code in self.codes] + [(f"{name}.from", self.low), (f"{name}.to", self.high), (name, self.text)]
        return [(key, value) for key, value in found if value]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Everything that an address asks of a list, on the day ``on``: ``where`` is a tree of AND and OR, ``under`` a unit at or below which records are. ``sort`` is a field's name, None for the last changed first."""

    query: str = ""
    conditions: Mapping[str, Condition] = field(default_factory=dict)
    sort: str | None = None
    descending: bool = True
    columns: tuple[str, ...] = ()
    on: date | None = None
    where: Tree | None = None
    under: UUID | None = None

    @property
    def narrowed(self) -> bool:
        return bool(self.query or self.conditions or self.where or self.under)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        found = [("q", self.query)] if self.query else []
        for condition in self.conditions.values():
            found += condition.pairs
        if self.where is not None:
            found.append(("w", orjson.dumps(plain_condition(self.where)).decode()))
        if self.under is not None:
            found.append(("under", str(self.under)))
        if self.sort:
            found.append(("sort", f"-{self.sort}" if self.descending else self.sort))
        return found + [("col", name) for name in self.columns]

    @property
    def address(self) -> str:
        """The query string that ``read_asked`` reads back."""
        return urlencode(self.pairs)


def filterable(register: Register) -> list[Field]:
    """Fields that a list may be narrowed by, listed ones first."""
    fits = [f for f in register.fields.values() if not f.secret and (f.found or f.type in RANGES or f.type in ("boolean", "tags") or _coded(f))]
    return ([VALID] if register.valid else []) + sorted(fits, key=lambda f: not f.list)


def _coded(one: Field) -> bool:
    return one.type in ("choice", "choices") and one.dictionary is not None


def read_asked(register: Register, pairs: Iterable[tuple[str, str]], *, on: date | None = None) -> Asked:
    """The (name, value) pairs of an address; empty values count as absent, names that are no filter are left alone.

    Raises Invalid for a filter, order or column that the register does not offer, and for a value that fits no range.
    """
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        if value.strip():
            found.setdefault(name, []).append(value.strip()[: LONGEST_TREE if name == "w" else LONGEST])
    offered = {one.name: one for one in filterable(register)}
    wanted = {name.split(".")[1]: None for name in found if name.startswith("f.")}
    if set(wanted) - set(offered):
        raise _unknown()
    conditions = {name: _condition(offered[name], found) for name in wanted}
    sort = found.get("sort", [""])[-1]
    return Asked(
        query=found.get("q", [""])[-1], conditions=conditions, sort=_sort(register, sort.removeprefix("-")), descending=sort.startswith("-") or not sort,
        columns=_columns(register, found.get("col", [])), on=on, where=_tree(register, found.get("w", [""])[-1]), under=_unit(found.get("under", [""])[-1]),
    )


def _tree(register: Register, text: str) -> Tree | None:
    if not text:
        return None
    try:
        return read_condition(orjson.loads(text), register)
    except orjson.JSONDecodeError:
        raise _unknown() from None


def _unit(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise _unknown() from None


def _unknown() -> Invalid:
    return Invalid("这个地址里的筛选条件不认识，请从列表重新选。", code="bad_filter")


def _sort(register: Register, name: str) -> str | None:
    if name and (name not in register.fields or not register.fields[name].sorted):
        raise _unknown()
    return name or None


def _columns(register: Register, names: Sequence[str]) -> tuple[str, ...]:
    """The chosen columns in the order of the declaration; none when they are the register's own."""
    if set(names) - set(register.fields):
        raise _unknown()
    chosen = tuple(name for name in register.fields if name in names)
    return () if chosen == tuple(one.name for one in register.listed) else chosen


def _condition(one: Field, found: Mapping[str, list[str]]) -> Condition:
    name = f"f.{one.name}"
    if one.type in RANGES:
        low, high = (found.get(f"{name}.{end}", [""])[-1] for end in ("from", "to"))
        for value in filter(None, (low, high)):
            bound_of(one, value)
        return Condition(field=one, low=low, high=high)
    values = found.get(name, [])
    if one.type == "boolean" and set(values) - {"true", "false"}:
        raise _unknown()
    if one.type == "validity" and set(values) - set(VALIDITY):
        raise _unknown()
    if one.type == "tags" or one.found:
        return Condition(field=one, text=values[-1] if values else "")
    return Condition(field=one, codes=tuple(dict.fromkeys(values[:MOST_CODES])))


def narrow(statement: Select[Any], register: Register, table: Table, asked: Asked) -> Select[Any]:
    """``statement`` over ``table`` with every condition of ``asked``, all of which must hold."""
    fields = searched(register)
    for word in asked.query.split()[:MOST_WORDS]:
        if fields:
            statement = statement.where(or_(*(table.c[f.name].contains(word, autoescape=True) for f in fields)))
            if short(word):
                statement = statement.where(has_word(literal_column(words_text(register, prefix=f"{table.schema}.{table.name}.")), word))
    for condition in asked.conditions.values():
        for clause in _validity(register, table, condition.codes, asked.on) if condition.field is VALID else _clauses(condition, table):
            statement = statement.where(clause)
    if asked.where is not None:
        statement = statement.where(clause_of(asked.where, table))
    if asked.under is not None:
        above = unit.alias("above")
        root = select(above.c.path).where(above.c.id == asked.under).scalar_subquery()
        statement = statement.where(table.c.unit_id.in_(select(unit.c.id).where(unit.c.path.like(root.op("||")("%")))))
    return statement


def order_column(one: Field, table: Table) -> ColumnElement[Any]:
    """What a list is ordered by, exactly as the index holds it."""
    return literal_column(order_text(one, prefix=f"{table.schema}.{table.name}."), SQLA[one.sql_type])


def _validity(register: Register, table: Table, codes: Sequence[str], on: date | None) -> list[ColumnElement[bool]]:
    """Records whose validity on the day is one of ``codes``: 有效 includes 将到期."""
    if register.valid is None or on is None:
        raise _unknown()
    start = table.c[register.valid.start] if register.valid.start else None
    end = table.c[register.valid.end]
    begun = or_(start.is_(None), start <= on) if start is not None else true()
    ways: Mapping[str, ColumnElement[bool]] = {
        "in_force": and_(begun, or_(end.is_(None), end >= on)), "soon": and_(begun, end >= on, end <= on + timedelta(days=register.valid.soon)),
        "ended": end < on, "not_yet": start > on if start is not None else false(),
    }
    return [or_(*(ways[code] for code in codes))]


def _clauses(condition: Condition, table: Table) -> list[ColumnElement[bool]]:
    one, column = condition.field, table.c[condition.field.name]
    held = order_column(one, table) if one.sorted else column
    if condition.text and one.type == "tags":
        return [column.contains(condition.text.split("、"))]
    if condition.text:
        return [column.contains(condition.text, autoescape=True)]
    if condition.codes:
        return [_any_code(one, column, held, condition.codes)]
    clauses: list[ColumnElement[bool]] = []
    if condition.low:
        clauses.append(held >= _instant(one, bound_of(one, condition.low)))
    if condition.high:
        most = bound_of(one, condition.high)
        clauses += [column.is_not(None), held < _instant(one, most + timedelta(days=1)) if one.type == "datetime" else held <= most]
    return clauses


def _any_code(one: Field, column: ColumnElement[Any], held: ColumnElement[Any], codes: Sequence[str]) -> ColumnElement[bool]:
    if one.type == "boolean":
        return column.in_([code == "true" for code in codes])
    if one.type == "choices":
        return or_(*(column.contains([code]) for code in codes))
    return held.in_(codes)


def _instant(one: Field, value: Any) -> Any:
    """A day as the first instant of it in Shanghai, for columns that hold instants."""
    return datetime.combine(value, time(), SHANGHAI) if one.type == "datetime" else value


def check_key(one: Field, key: str) -> str:
    """A cursor's part for ``one``; raises Invalid for what the column could not hold."""
    try:
        if one.type in ("number", "money"):
            Decimal(key)
        elif one.type in ("date", "datetime") and key != "-infinity":
            (date if one.type == "date" else datetime).fromisoformat(key)
        elif one.type == "boolean" and key not in ("true", "false"):
            raise ValueError(key)
    except (ValueError, InvalidOperation):
        raise Invalid("翻页的地址不完整，请回到第一页重新翻。", code="bad_cursor") from None
    return key
