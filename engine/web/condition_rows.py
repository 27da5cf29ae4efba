"""A condition as rows of a plain form: rows of one group hold together, groups are alternatives (or all of them hold)."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection
from werkzeug.datastructures import MultiDict

from engine.registers.conditions import Condition, Leaf, offered, read_condition, verbs_of
from engine.registers.declaration import Field, Register
from engine.runtime.queries.record_words import dictionaries_of

ROWS = 6
GROUPS = (1, 2, 3, 4)
HOW = {"any": "满足任意一组", "all": "每一组都满足"}
WORDS: Mapping[str, str] = {"is": "是", "not": "不是", "has": "含有", "range": "从…到…", "empty": "未填", "filled": "已填"}


@dataclass(frozen=True, kw_only=True)
class Line:
    """One row of the form; ``values`` and ``until`` as typed."""

    group: int = 1
    field: str = ""
    verb: str = ""
    values: str = ""
    until: str = ""


@dataclass(frozen=True, kw_only=True)
class Column:
    """A field that may be named, with the verbs that fit and what can be chosen."""

    field: Field
    verbs: Sequence[str]
    options: Sequence[tuple[str, str]]


def columns_of(connection: Connection, register: Register) -> list[Column]:
    """What the form offers: fields whose values are typed or chosen from a list."""
    fields = [one for one in offered(register) if one.type not in ("person", "unit", "record")]
    dictionaries = dictionaries_of(connection, fields)
    found = []
    for one in fields:
        entries = dictionaries[one.dictionary].entries.items() if one.dictionary in dictionaries else ()
        options = [("true", "是"), ("false", "否")] if one.type == "boolean" else [(code, entry.title) for code, entry in entries]
        found.append(Column(field=one, verbs=[*verbs_of(one), "filled"], options=options))
    return found


def read_lines(form: MultiDict[str, str], columns: Sequence[Column], register: Register) -> Condition | None:
    """The condition that was sent; None without a single row. Raises Invalid in Chinese."""
    titles = {one.field.name: {title: code for code, title in one.options} for one in columns}
    groups: dict[int, list[dict[str, Any]]] = {}
    for line in sent_lines(form):
        if line.field:
            groups.setdefault(line.group, []).append(_told(line, titles.get(line.field, {})))
    if not groups:
        return None
    parts = [{"all": leaves} for _, leaves in sorted(groups.items())]
    return read_condition(parts[0] if len(parts) == 1 else {"all" if form.get("how") == "all" else "any": parts}, register)


def sent_lines(form: MultiDict[str, str]) -> list[Line]:
    """Every row of the form as it was sent, to be shown again."""
    found = []
    for place in range(ROWS):
        group = form.get(f"c{place}.group", "1")
        found.append(Line(
            group=int(group) if group in ("1", "2", "3", "4") else 1, field=form.get(f"c{place}.field", ""), verb=form.get(f"c{place}.verb", ""),
            values=form.get(f"c{place}.values", "").strip()[:400], until=form.get(f"c{place}.until", "").strip()[:40],
        ))
    return found


def _told(line: Line, codes: Mapping[str, str]) -> dict[str, Any]:
    if line.verb in ("empty", "filled"):
        return {"field": line.field, "empty": line.verb == "empty"}
    if line.verb == "range":
        return {"field": line.field, **({"from": line.values} if line.values else {}), **({"to": line.until} if line.until else {})}
    values = [value.strip() for value in line.values.replace(",", "、").replace("，", "、").split("、") if value.strip()]
    return {"field": line.field, line.verb or "is": [codes.get(value, value) for value in values]}


def lines_of(condition: Condition | None, columns: Sequence[Column]) -> tuple[str, list[Line]]:
    """(how groups belong together, rows) of a condition that such a form can show; anything deeper shows as no rows."""
    titles = {one.field.name: dict(one.options) for one in columns}
    groups, how = _flat(condition)
    lines = [_line(number, leaf, titles.get(leaf.field.name, {})) for number, leaves in enumerate(groups, 1) for leaf in leaves]
    return how, [*lines, *[Line()] * max(0, ROWS - len(lines))][:ROWS]


def _flat(condition: Condition | None) -> tuple[list[list[Leaf]], str]:
    if condition is None:
        return [], "any"
    if isinstance(condition, Leaf):
        return [[condition]], "any"
    leaves = [part for part in condition.parts if isinstance(part, Leaf)]
    if len(leaves) == len(condition.parts):
        return ([leaves], "any") if condition.how == "all" else ([[leaf] for leaf in leaves], "any") if condition.how == "any" else ([], "any")
    inner = [_flat(part)[0] for part in condition.parts]
    if condition.how == "none" or any(len(one) != 1 for one in inner) or len(inner) > len(GROUPS):
        return [], "any"
    return [one[0] for one in inner], "all" if condition.how == "all" else "any"


def _line(number: int, leaf: Leaf, titles: Mapping[str, str]) -> Line:
    if leaf.verb == "empty":
        return Line(group=number, field=leaf.field.name, verb="empty" if leaf.values == ("yes",) else "filled")
    if leaf.verb == "range":
        return Line(group=number, field=leaf.field.name, verb="range", values=leaf.low, until=leaf.high)
    return Line(group=number, field=leaf.field.name, verb=leaf.verb, values="、".join(titles.get(value, value) for value in leaf.values))


