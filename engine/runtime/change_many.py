"""One change to many records of a register: each in a transaction of its own, with one result per record."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from engine.access.actors import Actor
from engine.kernel.errors import GuichengError, Invalid
from engine.registers.catalogue import get_register
from engine.registers.declaration import Field, Register
from engine.registers.granted import for_reader
from engine.runtime.application import Application
from engine.runtime.edit_record import change_record, remove_record
from engine.runtime.queries import registers as query
from engine.runtime.queries.record_titles import title_field
from engine.runtime.record_form import answers_of_record

MOST = 200


@dataclass(frozen=True, kw_only=True)
class Result:
    """What became of one record. ``message`` says why it stayed as it was; empty when it was changed."""

    id: UUID
    title: str
    message: str = ""


def settable(register: Register) -> list[Field]:
    """Fields that may be set on many records at once: what has one value, or tags, to everybody's eyes."""
    kinds = ("choice", "choices", "boolean", "date", "person", "unit", "record", "tags")
    return [one for one in register.fields.values() if one.filled and not one.secret and one.type in kinds] if register.direct else []


def set_on_many(
    app: Application, *, actor: Actor, register: str, ids: Iterable[UUID], field: str, value: Any, reason: str, at: datetime, how: str = "set",
) -> list[Result]:
    """Set ``field`` to ``value`` on the records; of tags ``how`` may be ``add`` or ``take``. At most 200.

    Raises Invalid for no record, too many, no reason, a field that isn't offered. What one record refuses is its result.
    """
    declared = for_reader(get_register(app.library, register)[0], actor)
    one = next((known for known in settable(declared) if known.name == field), None)
    if one is None:
        raise Invalid("请选要改哪一栏。", fields={"field": "请选要改哪一栏。"})
    if value is None or value == []:
        raise Invalid(f"“{one.title}”还没有填，没有改动。", fields={field: "请填要改成什么。"})

    def change(record: query.Record) -> None:
        known = answers_of_record(declared, record.values)
        wanted = {**known, field: _value(one, known.get(field), value, how)}
        change_record(app, actor=actor, register=register, record_id=record.id, data=wanted, reason=reason, rev=record.rev, at=at)

    return _each(app, actor, declared, ids, reason, change)


def remove_many(app: Application, *, actor: Actor, register: str, ids: Iterable[UUID], reason: str, at: datetime) -> list[Result]:
    """Take the records out of the register. Raises and answers as ``set_on_many`` does."""
    declared, _ = get_register(app.library, register)
    return _each(
        app, actor, declared, ids, reason,
        lambda record: remove_record(app, actor=actor, register=register, record_id=record.id, reason=reason, rev=record.rev, at=at),
    )


def _value(field: Field, known: Any, value: Any, how: str) -> Any:
    if field.type != "tags" or how == "set":
        return value
    words: Sequence[str] = value or ()
    return [tag for tag in known or () if tag not in words] if how == "take" else list(dict.fromkeys([*(known or ()), *words]))


def _each(
    app: Application, actor: Actor, register: Register, ids: Iterable[UUID], reason: str, act: Callable[[query.Record], object],
) -> list[Result]:
    chosen = list(dict.fromkeys(ids))
    if not chosen:
        raise Invalid("还没有选记录，请在列表里勾选。")
    if len(chosen) > MOST:
        raise Invalid(f"一次最多改 {MOST} 条，现在选了 {len(chosen)} 条，请分几次。")
    if not reason.strip():
        raise Invalid("写明为什么改，会记在每条记录的改动记录里。", fields={"reason": "写明原因。"})
    return [_one(app, actor, register, id, act) for id in chosen]


def _one(app: Application, actor: Actor, register: Register, id: UUID, act: Callable[[query.Record], object]) -> Result:
    _, table = get_register(app.library, register.name)
    title = str(id)
    try:
        with app.db.connect() as connection:
            record, _ = query.one(connection, actor=actor, register=register, table=table, record_id=id)
        title = _title(register, record.cells) or title
        act(record)
    except GuichengError as problem:
        return Result(id=id, title=title, message="；".join(problem.fields.values()) if isinstance(problem, Invalid) and problem.fields else problem.message)
    return Result(id=id, title=title)


def _title(register: Register, cells: Mapping[str, str]) -> str:
    shown = title_field(register)
    return cells[shown.name] if shown else ""
