"""Conditions on records with AND and OR groups: one grammar for advanced search, statistics and counting rules.

A condition is a tree of plain data, as YAML and addresses hold it:
``{"all": [...]}``, ``{"any": [...]}``, ``{"none": [...]}`` (not one of them), or a leaf ``{"field": name, <verb>: value}`` with one verb:
``is`` (a value or a list of them), ``not``, ``has`` (part of a text, tags or codes), ``from`` and/or ``to`` (both ends included),
``empty`` (true or false). A point or an outline has ``near`` (``"经度,纬度,米"``), ``inside`` (a list of three or more ``"经度,纬度"``) and
``box`` (``"西,南,东,北"``); an outline is judged by the box around it.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Table, and_, false, not_, or_, true

from engine.kernel.clock import SHANGHAI
from engine.kernel.errors import Invalid
from engine.registers.bounds import bound_of
from engine.registers.declaration import PLACED, Field, Register
from engine.registers.placed import check_place_values, place_clause

CREATED = Field(name="created_at", title="登记时间", type="datetime")
"""When a record was made: every register has it."""
OWNER = Field(name="unit_id", title="所属单位", type="unit")
"""The unit that a record belongs to: every register has it."""
DEEPEST, MOST_LEAVES, MOST_VALUES, LONGEST = 4, 40, 200, 200
GROUPS = ("all", "any", "none")
RANGES = frozenset({"number", "money", "date", "datetime"})
VERBS: Mapping[str, str] = {"is": "是", "not": "不是", "has": "含有", "from": "从", "to": "到", "empty": "未填", "near": "在附近", "inside": "在范围内", "box": "在图幅内"}


@dataclass(frozen=True, kw_only=True)
class Leaf:
    """One field's condition. ``values`` of ``is``, ``not`` and ``has``; ``low`` and ``high`` of a range as typed."""

    field: Field
    verb: str
    values: tuple[str, ...] = ()
    low: str = ""
    high: str = ""


@dataclass(frozen=True, kw_only=True)
class Group:
    """``how`` is all, any or none of ``parts``."""

    how: str
    parts: Sequence[Group | Leaf]


Condition = Group | Leaf


def offered(register: Register) -> list[Field]:
    """Fields that conditions may name: to everybody's eyes, and with values of their own."""
    return [*(one for one in register.fields.values() if not one.secret and one.type not in ("json", "files", "party")), OWNER, CREATED]


def verbs_of(field: Field) -> tuple[str, ...]:
    """The verbs that fit a field, the usual one first."""
    if field.type in RANGES:
        return ("range", "empty")
    if field.type in PLACED:
        return ("near", "inside", "box", "empty")
    if field.type in ("tags", "choices"):
        return ("has", "empty")
    return ("has", "is", "not", "empty") if field.type in ("text", "serial") else ("is", "not", "empty")


def read_condition(told: Any, register: Register) -> Condition:
    """The condition in plain data; raises Invalid that says what is wrong, for trees too deep or with more than 40 leaves, too."""
    fields = {one.name: one for one in offered(register)}
    left = [MOST_LEAVES]
    return _read(told, fields, 0, left)


def _read(told: Any, fields: Mapping[str, Field], depth: int, left: list[int]) -> Condition:
    if not isinstance(told, Mapping) or depth > DEEPEST:
        raise _wrong(f"条件最多套 {DEEPEST} 层。" if depth > DEEPEST else "条件写成一组（all、any、none）或一个栏目的条件。")
    group = [name for name in GROUPS if name in told]
    if group:
        if len(told) != 1 or not isinstance(told[group[0]], Sequence) or isinstance(told[group[0]], str):
            raise _wrong("一组条件写成 all、any 或 none 加一个列表。")
        return Group(how=group[0], parts=[_read(part, fields, depth + 1, left) for part in told[group[0]]])
    left[0] -= 1
    if left[0] < 0:
        raise _wrong(f"条件最多 {MOST_LEAVES} 个，请减少。")
    return _leaf(told, fields)


def _leaf(told: Mapping[str, Any], fields: Mapping[str, Field]) -> Leaf:
    field = fields.get(str(told.get("field")))
    if field is None:
        raise _wrong(f"没有可以查的栏目“{told.get('field')}”，请从列出的栏目里选。")
    verbs = {name for name in told if name != "field"}
    if not verbs or not (verbs <= {"from", "to"} or (len(verbs) == 1 and verbs <= set(VERBS))):
        raise _wrong(f"“{field.title}”的条件要写一种：is、not、has、empty，或者 from 和 to。")
    verb = "range" if verbs <= {"from", "to"} else verbs.pop()
    if verb not in verbs_of(field):
        raise _wrong(f"“{field.title}”不能这样比较，请换一种条件。")
    if verb == "range":
        low, high = (_text(told.get(end), field) for end in ("from", "to"))
        if not low and not high:
            raise _wrong(f"“{field.title}”的范围要写从哪里或到哪里。")
        for text in filter(None, (low, high)):
            bound_of(field, text)
        return Leaf(field=field, verb=verb, low=low, high=high)
    if verb == "empty":
        return Leaf(field=field, verb=verb, values=("yes" if told["empty"] in (True, "true", "yes") else "no",))
    held = told[verb]
    values = tuple(_text(value, field) for value in (held if isinstance(held, (list, tuple)) else [held]))
    if not all(values) or not values or len(values) > MOST_VALUES:
        raise _wrong(f"“{field.title}”的条件要写 1 到 {MOST_VALUES} 个值。")
    _check_values(field, verb, values)
    if field.type in PLACED:
        values = check_place_values(field, verb, values)
    return Leaf(field=field, verb=verb, values=values)


def _check_values(field: Field, verb: str, values: Sequence[str]) -> None:
    if field.type == "boolean" and set(values) - {"true", "false"}:
        raise _wrong(f"“{field.title}”的条件写 true 或 false。")
    if field.type in ("person", "unit", "record"):
        try:
            for value in values:
                UUID(value)
        except ValueError:
            raise _wrong(f"“{field.title}”的条件要从列出的里选。") from None


def _text(value: Any, field: Field) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, dict)):
        raise _wrong(f"“{field.title}”的条件值不对。")
    return str(value).strip()[:LONGEST]


def _wrong(message: str) -> Invalid:
    return Invalid(message, code="bad_condition")


def clause_of(condition: Condition, table: Table) -> ColumnElement[bool]:
    """The condition as SQL over the register's ``table``; an empty field fulfils ``not`` and nothing else but ``empty``."""
    if isinstance(condition, Group):
        parts = [clause_of(part, table) for part in condition.parts]
        ways: Mapping[str, Callable[[], ColumnElement[bool]]] = {
            "all": lambda: and_(true(), *parts), "any": lambda: or_(false(), *parts) if parts else true(), "none": lambda: not_(or_(false(), *parts)),
        }
        return ways[condition.how]()
    if condition.field.type in PLACED and condition.verb != "empty":
        return and_(table.c[condition.field.name].is_not(None), place_clause(condition.field, table, condition.verb, condition.values))
    return _leaf_clause(condition, table.c[condition.field.name])


def _leaf_clause(leaf: Leaf, column: ColumnElement[Any]) -> ColumnElement[bool]:
    if leaf.verb == "empty":
        return column.is_(None) if leaf.values == ("yes",) else column.is_not(None)
    if leaf.verb == "range":
        return and_(column.is_not(None), *_ends(leaf, column))
    if leaf.verb == "has" and leaf.field.type in ("tags", "choices"):
        return and_(column.is_not(None), or_(*(column.contains([value]) for value in leaf.values)))
    if leaf.verb == "has":
        return and_(column.is_not(None), or_(*(column.contains(value, autoescape=True) for value in leaf.values)))
    among = column.in_([_typed(leaf.field, value) for value in leaf.values])
    return and_(column.is_not(None), among) if leaf.verb == "is" else or_(column.is_(None), not_(among))


def _ends(leaf: Leaf, column: ColumnElement[Any]) -> list[ColumnElement[bool]]:
    clauses = []
    if leaf.low:
        clauses.append(column >= _instant(leaf.field, bound_of(leaf.field, leaf.low)))
    if leaf.high:
        most = bound_of(leaf.field, leaf.high)
        clauses.append(column < _instant(leaf.field, most + timedelta(days=1)) if leaf.field.type == "datetime" else column <= most)
    return clauses


def _instant(field: Field, value: date) -> Any:
    return datetime.combine(value, time(), SHANGHAI) if field.type == "datetime" else value


def _typed(field: Field, value: str) -> Any:
    if field.type == "boolean":
        return value == "true"
    return UUID(value) if field.type in ("person", "unit", "record") else value


def told_condition(condition: Condition, titles: Callable[[Field, str], str]) -> str:
    """The condition in Chinese; ``titles`` gives what people read for a stored value."""
    if isinstance(condition, Group):
        if not condition.parts:
            return "不限"
        said = [told_condition(part, titles) for part in condition.parts]
        word = " 并且 " if condition.how == "all" else " 或者 "
        inner = word.join(f"（{text}）" if isinstance(part, Group) and len(part.parts) > 1 else text for part, text in zip(condition.parts, said, strict=True))
        return f"不是（{inner}）" if condition.how == "none" else inner
    title = condition.field.title
    if condition.verb == "empty":
        return f"{title}未填" if condition.values == ("yes",) else f"{title}已填"
    if condition.verb == "range":
        ends = [f"不小于 {condition.low}" if condition.low else "", f"不大于 {condition.high}" if condition.high else ""]
        return f"{title}{'、'.join(filter(None, ends)) or '已填'}"
    if condition.field.type in PLACED:
        return _told_place(condition)
    return f"{title}{VERBS[condition.verb]}{'、'.join(titles(condition.field, value) for value in condition.values)}"


def _told_place(leaf: Leaf) -> str:
    if leaf.verb == "near":
        lon, lat, far = leaf.values[0].split(",")
        return f"{leaf.field.title}离 {lon},{lat} 不超过 {far} 米"
    return f"{leaf.field.title}{VERBS[leaf.verb]}" + (f"（{len(leaf.values)} 个顶点）" if leaf.verb == "inside" else "")


def split_places(condition: Condition | None) -> tuple[Condition | None, list[Leaf]]:
    """(the rest, the conditions on places that all records fulfil): what a map draws and lets one take away."""
    if isinstance(condition, Leaf):
        return (None, [condition]) if _drawn(condition) else (condition, [])
    if condition is None or condition.how != "all":
        return condition, []
    rest = [part for part in condition.parts if not _drawn(part)]
    return (Group(how="all", parts=rest) if rest else None), [part for part in condition.parts if isinstance(part, Leaf) and _drawn(part)]


def _drawn(condition: Condition) -> bool:
    return isinstance(condition, Leaf) and condition.field.type in PLACED and condition.verb in ("near", "inside", "box")


def plain_condition(condition: Condition) -> dict[str, Any]:
    """The condition as plain data, the way ``read_condition`` takes it."""
    if isinstance(condition, Group):
        return {condition.how: [plain_condition(part) for part in condition.parts]}
    if condition.verb == "range":
        return {"field": condition.field.name, **({"from": condition.low} if condition.low else {}), **({"to": condition.high} if condition.high else {})}
    if condition.verb == "empty":
        return {"field": condition.field.name, "empty": condition.values == ("yes",)}
    return {"field": condition.field.name, condition.verb: list(condition.values)}
