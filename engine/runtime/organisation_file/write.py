"""Writing the changes of a file, with what was there before, and taking them back."""
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, RowMapping, Table, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from engine.access.actors import Actor
from engine.kernel.clock import legal_date
from engine.kernel.errors import Conflict
from engine.kernel.gm import KeyRing
from engine.kernel.ids import new_id
from engine.runtime.organisation_file.lines import Change, Judged
from engine.storage.tables.cases import case_file
from engine.storage.tables.certificates import certificate
from engine.storage.tables.organisation import person, post, role_holder, session, unit
from engine.storage.tables.organising import organisation_act, organisation_change, role_person, unit_name
from engine.storage.tables.runtime import task, task_candidate

TABLES: Mapping[str, Table] = {"unit": unit, "person": person, "post": post, "certificate": certificate, "unit_name": unit_name}
SEALED = "phone"
"""Stored sealed, before and after; a round of new keys changes it without anybody's act, so it says nothing about who touched a row."""
USES: Mapping[str, tuple[tuple[Any, str], ...]] = {
    "unit": ((case_file.c.unit_id, "案件"), (task_candidate.c.unit_id, "待办"), (role_holder.c.unit_id, "角色对应"), (post.c.unit_id, "岗位"), (unit.c.parent_id, "下属单位")),
    "person": ((case_file.c.handler_id, "承办的案件"), (task.c.assignee_id, "待办"), (role_person.c.person_id, "角色"), (post.c.person_id, "岗位")),
}
BATCH = 1_000


def write_changes(connection: Connection, judged: Judged, *, import_id: UUID, actor: Actor, reason: str, keys: KeyRing, at: datetime) -> int:
    """Everything the file changes, each row with its history; how many rows."""
    changes = [_sealed(one, keys) for one in judged.changes]
    for name, found in groupby(changes, key=lambda one: one.table):
        _write(connection, TABLES[name], list(found))
    names = _names(connection, changes, reason, at)
    _write(connection, unit_name, names)
    _end_sessions(connection, changes, legal_date(at))
    _remember(connection, [*changes, *names], import_id)
    _history(connection, changes, import_id, actor, reason, at)
    return len(changes)


def plan_rows(connection: Connection, judged: Judged, *, import_id: UUID) -> None:
    """The dry run's changes, for people to read; nothing of what they would set is kept."""
    connection.execute(delete(organisation_change).where(organisation_change.c.import_id == import_id))
    rows = [{**_line(one, rank, import_id), "before": None, "after": {}} for rank, one in enumerate(judged.changes)]
    for some in _batches(rows):
        connection.execute(insert(organisation_change), some)


def _sealed(one: Change, keys: KeyRing) -> Change:
    if not isinstance(one.after.get(SEALED), str):
        return one
    after = {**one.after, SEALED: keys.encrypt(one.after[SEALED].encode(), b"person.phone:" + one.id.bytes)}
    return Change(sheet=one.sheet, row=one.row, table=one.table, id=one.id, before=one.before, after=after, text=one.text)


def _write(connection: Connection, table: Table, changes: Sequence[Change]) -> None:
    for some in _batches([one.after for one in changes if one.before is None]):
        connection.execute(insert(table), some)
    for one in changes:
        if one.before is not None:
            connection.execute(update(table).where(table.c.id == one.id).values(**one.after))


def _batches(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(rows), BATCH):
        yield rows[start:start + BATCH]


def _names(connection: Connection, changes: Sequence[Change], reason: str, at: datetime) -> list[Change]:
    """Units are called by their names of the day: the first of a new one, the next of an old one."""
    found = []
    for one in changes:
        if one.table != "unit" or "name" not in one.after and "short_name" not in one.after:
            continue
        row = connection.execute(select(unit.c.name, unit.c.short_name).where(unit.c.id == one.id)).one()
        known = connection.scalar(select(unit_name.c.id).where(unit_name.c.unit_id == one.id).limit(1))
        days = [(row.name, row.short_name, legal_date(at))]
        if one.before is not None and known is None:
            days.insert(0, (one.before.get("name", row.name), one.before.get("short_name", row.short_name), date(2000, 1, 1)))
        for name, short, day in days:
            id = new_id()
            values = {"id": id, "unit_id": one.id, "name": name, "short_name": short, "valid_from": day, "source": reason}
            found.append(Change(sheet=one.sheet, row=0, table="unit_name", id=id, before=None, after=values, text=f"从 {day} 起称“{name}”"))
    return found


def _end_sessions(connection: Connection, changes: Sequence[Change], today: date) -> None:
    over = [one.id for one in changes if one.table == "post" and one.before is not None and one.after.get("valid_until") is not None and one.after["valid_until"] < today]
    if over:
        connection.execute(delete(session).where(session.c.post_id.in_(over)))


def _line(one: Change, rank: int, import_id: UUID) -> dict[str, Any]:
    return {"id": new_id(), "import_id": import_id, "rank": rank, "sheet": one.sheet, "row": one.row, "table_name": one.table, "row_id": one.id, "text": one.text}


def _remember(connection: Connection, changes: Sequence[Change], import_id: UUID) -> None:
    connection.execute(delete(organisation_change).where(organisation_change.c.import_id == import_id))
    rows = [{**_line(one, rank, import_id), "before": None if one.before is None else plain(one.before), "after": plain(one.after)} for rank, one in enumerate(changes)]
    for some in _batches(rows):
        connection.execute(insert(organisation_change), some)


def _history(connection: Connection, changes: Sequence[Change], import_id: UUID, actor: Actor, reason: str, at: datetime) -> None:
    """On the pages of the units and people: what the import did to them."""
    rows: list[dict[str, Any]] = []
    for rank, one in enumerate(changes):
        values = {**(one.before or {}), **one.after}
        rows.append({
            "id": new_id(), "key": f"{import_id}/{rank}", "at": at, "actor_id": actor.person_id, "actor_name": actor.name, "verb": "import_row", "text": one.text, "reason": reason, "detail": {},
            "unit_id": one.id if one.table == "unit" else None, "person_id": one.id if one.table == "person" else values.get("person_id"),
        })
    for some in _batches(rows):
        connection.execute(insert(organisation_act), some)


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Columns as JSON: days and ids as text, sealed bytes in hexadecimal."""
    return {name: value.hex() if isinstance(value, (bytes, memoryview)) else value.isoformat() if isinstance(value, (date, datetime)) else str(value) if isinstance(value, UUID) else value for name, value in values.items()}


def changes_of(connection: Connection, *, import_id: UUID, limit: int | None = None) -> Sequence[Row[Any]]:
    """What an import changes, in the order of writing; with ``limit`` for people to read, so without the dated names that follow."""
    statement = select(organisation_change).where(organisation_change.c.import_id == import_id).order_by(organisation_change.c.rank)
    return connection.execute(statement if limit is None else statement.where(organisation_change.c.table_name != "unit_name").limit(limit)).all()


def take_back(connection: Connection, *, import_id: UUID) -> int:
    """Everything as it was before; how many rows. Raises Conflict when a row was changed or is used since, and changes nothing."""
    changes = changes_of(connection, import_id=import_id)
    ids = {name: [one.row_id for one in changes if one.table_name == name] for name in TABLES}
    now = {(name, row["id"]): row for name, table in TABLES.items() for some in _batches(ids[name]) for row in connection.execute(select(table).where(table.c.id.in_(some)).with_for_update()).mappings()}
    last: dict[tuple[str, UUID], dict[str, Any]] = {}
    for one in changes:
        last.setdefault((one.table_name, one.row_id), {}).update(one.after)
    touched = [one.text for one in changes if _touched(now.get((one.table_name, one.row_id)), last[one.table_name, one.row_id], one)]
    if touched:
        raise Conflict(f"有 {len(touched)} 处导入后又改过，没有撤销：{'；'.join(touched[:3])}。请在单位页、人员页上逐处改。")
    made = [one for one in changes if one.before is None]
    for one in reversed(changes):
        if one.before is not None:
            table = TABLES[one.table_name]
            connection.execute(update(table).where(table.c.id == one.row_id).values(**{name: _typed(table, name, value) for name, value in one.before.items()}))
    _remove(connection, made)
    return len(changes)


def _touched(row: RowMapping | None, after: Mapping[str, Any], one: Row[Any]) -> bool:
    if row is None:
        return True
    present = plain(dict(row))
    return any(present[name] != value for name, value in after.items() if name != SEALED)


def _typed(table: Table, name: str, value: Any) -> Any:
    if value is None:
        return None
    kind = table.c[name].type.python_type
    if kind is bytes:
        return bytes.fromhex(value)
    if kind in (date, datetime):
        return kind.fromisoformat(value)
    return UUID(value) if kind is UUID else value


def _remove(connection: Connection, made: Sequence[Row[Any]]) -> None:
    """What the import made goes, the last first; what somebody uses by now stays, and with it everything."""
    for name in reversed(list(TABLES)):
        ids = [one.row_id for one in made if one.table_name == name]
        for some in _batches(ids):
            for column, word in USES.get(name, ()):
                if connection.scalar(select(select(column).where(column.in_(some), *_others(column, ids)).exists())):
                    raise Conflict(f"导入的{'单位' if name == 'unit' else '人员'}已经有{word}，没有撤销。请在单位页、人员页上办调动、离职、撤销。")
            try:
                with connection.begin_nested():
                    connection.execute(delete(TABLES[name]).where(TABLES[name].c.id.in_(some)))
            except IntegrityError as problem:
                raise Conflict("导入的单位、人员已经在用（有账号、签章或办过的事），没有撤销。请在单位页、人员页上办调动、离职、撤销。") from problem


def _others(column: Any, ids: Sequence[UUID]) -> tuple[Any, ...]:
    """Units below one another go together."""
    return (unit.c.id.not_in(ids),) if column is unit.c.parent_id else ()
