"""The contents of records as people read them: titles for codes, names for ids, secrets masked."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from engine.kernel.clock import SHANGHAI
from engine.kernel.errors import NotFound
from engine.reference.dictionaries import Dictionary, load_dictionary
from engine.reference.places import told_outline, told_place
from engine.registers.declaration import HIDDEN, Field, Register
from engine.runtime.queries.record_titles import titles_of
from engine.storage.tables.cases import party
from engine.storage.tables.organisation import person, unit

NAMED: Mapping[str, Any] = {"person": person, "unit": unit, "party": party}


class Words:
    """Reads what ``fields`` of ``rows`` need: a statement per kind of name, a dictionary once in a while."""

    def __init__(self, connection: Connection, fields: Sequence[Field], rows: Sequence[Mapping[str, Any]]) -> None:
        self._names: dict[UUID, str] = {}
        self.dictionaries = dictionaries_of(connection, fields)
        for kind, table in NAMED.items():
            ids = {row[f.name] for row in rows for f in fields if f.type == kind and not f.encrypt and row[f.name] is not None}
            if ids:
                self._names.update((id, name) for id, name in connection.execute(select(table.c.id, table.c.name).where(table.c.id.in_(ids))))

        for f in fields:
            ids = {row[f.name] for row in rows if row[f.name] is not None} if f.type == "record" else set()
            if ids:
                self._names.update(titles_of(connection, f, ids))

    def text(self, field: Field, value: Any) -> str:
        """A column's value on a page."""
        if value is None:
            return ""
        if field.encrypt:
            return HIDDEN
        return field.masked(self._open(field, value))

    def _open(self, field: Field, value: Any) -> str:
        if field.type in NAMED or field.type == "record":
            return self._names.get(value, "已不在册")
        if field.dictionary in self.dictionaries:
            found = self.dictionaries[field.dictionary]
            return "、".join(found.title(str(code)) for code in (value if isinstance(value, list) else [value]))
        return plain(field, value)


def dictionaries_of(connection: Connection, fields: Sequence[Field]) -> dict[str | None, Dictionary]:
    """The dictionaries that ``fields`` name; one without entries is left out."""
    found: dict[str | None, Dictionary] = {}
    for name in {f.dictionary for f in fields if f.dictionary}:
        try:
            found[name] = load_dictionary(connection, dictionary=str(name))
        except NotFound:
            continue
    return found


def _part(part: Any) -> str:
    """One of several: a file by its caption or kind of thing, anything else as it is."""
    return str(part.get("caption") or part.get("name") or "附件") if isinstance(part, dict) else str(part)


def plain(field: Field, value: Any) -> str:
    """A value without a name of its own."""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, Decimal):
        return f"{value:,.2f}" if field.type == "money" else f"{value.normalize():f}"
    if isinstance(value, datetime):
        return f"{value.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    if field.type == "point" and isinstance(value, dict):
        return told_place(value)
    if field.type == "outline" and isinstance(value, dict):
        return told_outline(value)
    if isinstance(value, list):
        return "、".join(_part(part) for part in value)
    return str(value)


def told_changes(connection: Connection, register: Register, changes: Mapping[str, Sequence[Any]]) -> list[dict[str, str]]:
    """A history row's changes as ``{"title", "old", "new"}``, in the register's order."""
    fields = [f for name, f in register.fields.items() if name in changes]
    typed = [{f.name: _typed(f, changes[f.name][place]) for f in fields} for place in (0, 1)]
    words = Words(connection, fields, typed)
    return [{"title": f.title, "old": words.text(f, typed[0][f.name]), "new": words.text(f, typed[1][f.name])} for f in fields]


def _typed(field: Field, value: Any) -> Any:
    """A value of the history, which is JSON, as the column holds it; what no longer fits stays text."""
    if value is None or field.encrypt:
        return value
    try:
        if field.type in ("number", "money"):
            return Decimal(str(value))
        if field.type in NAMED:
            return UUID(str(value))
        return datetime.fromisoformat(value) if field.type == "datetime" else value
    except (ValueError, ArithmeticError, TypeError):
        return None if field.type in NAMED else str(value)
