"""Units: added, renamed from a day, moved with all that is below, closed when empty, opened again."""
from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, case, func, insert, literal, select, update

from engine.access.actors import Actor, holds_on
from engine.access.organisation import UNIT_KINDS, get_unit
from engine.access.staffing import create_unit
from engine.kernel.clock import legal_date
from engine.kernel.errors import Conflict, Invalid
from engine.kernel.ids import new_id
from engine.runtime.application import Application
from engine.runtime.organising.perform import ADMIN, Done, perform
from engine.storage.tables.cases import case_file
from engine.storage.tables.organisation import post, unit
from engine.storage.tables.organising import unit_name
from engine.storage.tables.runtime import task, task_candidate

Row = Any


def add_unit(
    app: Application, *, actor: Actor, parent_id: UUID | None, bureau: str, kind: str, code: str, name: str, short_name: str, key: str, at: datetime,
    number_word: str = "", area_code: str = "", reason: str = "",
) -> UUID | None:
    """A new unit below ``parent_id``, in its branch; its id. Raises Invalid, Conflict (the code is taken)."""

    def do(connection: Connection) -> Done:
        _require_name(name)
        above = get_unit(connection, unit_id=parent_id) if parent_id else None
        if above is not None and not above.active:
            raise Conflict(f"“{above.name}”已撤销，不能在它下面设单位。")
        id = create_unit(
            connection, parent_id=parent_id, bureau=above.bureau if above else bureau, kind=kind, code=code.strip(), name=name.strip(),
            short_name=short_name.strip() or name.strip(), number_word=number_word.strip(), area_code=area_code.strip() or (above.area_code if above else "310000"), at=at,
        )
        _keep_name(connection, id, name.strip(), short_name.strip() or name.strip(), legal_date(at), reason)
        return Done(text=f"设立{UNIT_KINDS[kind]}“{name.strip()}”", unit_id=id, result=id, detail={"code": code, "kind": kind, "parent": above.name if above else ""})

    return perform(app, actor=actor, right=ADMIN, verb="add_unit", key=key, at=at, do=do, reason=reason)


def rename_unit(
    app: Application, *, actor: Actor, unit_id: UUID, name: str, short_name: str, from_on: date, reason: str, key: str, at: datetime,
    kind: str | None = None, number_word: str | None = None,
) -> None:
    """Another name from ``from_on`` (today or before); documents of before keep the old one. Raises Invalid."""

    def do(connection: Connection) -> Done:
        _require_name(name)
        old = get_unit(connection, unit_id=unit_id)
        if from_on > legal_date(at):
            raise Invalid("改名的日期不能在今天以后，到那天再改。", fields={"from_on": "填今天或以前的日期。"})
        if kind is not None and kind not in UNIT_KINDS:
            raise Invalid("没有这种单位类型。", fields={"kind": "请重新选择。"})
        if kind == "district_bureau" != old.kind or (old.kind == "district_bureau" and kind not in (None, "district_bureau")):
            raise Conflict("区局和别的类型不能互改：下属单位和案件的归属会跟着变。请新设单位后移入。")
        if connection.scalar(select(func.count()).select_from(unit_name).where(unit_name.c.unit_id == unit_id)) == 0:
            _keep_name(connection, unit_id, old.name, old.short_name, date(2000, 1, 1), "")
        _keep_name(connection, unit_id, name.strip(), short_name.strip() or name.strip(), from_on, reason)
        values = {"name": name.strip(), "short_name": short_name.strip() or name.strip(), "kind": kind or old.kind, "number_word": old.number_word if number_word is None else number_word.strip()}
        connection.execute(update(unit).where(unit.c.id == unit_id).values(**values, updated_at=at))
        changed = {field: [getattr(old, field), value] for field, value in values.items() if getattr(old, field) != value}
        return Done(text=f"“{old.name}”从 {from_on} 起改为“{name.strip()}”" if "name" in changed else f"修改“{old.name}”", unit_id=unit_id, detail={"from": str(from_on), "changed": changed})

    perform(app, actor=actor, right=ADMIN, verb="rename_unit", key=key, at=at, do=do, reason=reason, why_required=True)


def move_unit(app: Application, *, actor: Actor, unit_id: UUID, parent_id: UUID, reason: str, key: str, at: datetime) -> None:
    """Below another unit of the same branch, with everything below it. Raises Conflict.

    A unit with cases can't go over to another district: whose the cases are would change with it.
    """

    def do(connection: Connection) -> Done:
        moved, above = get_unit(connection, unit_id=unit_id), get_unit(connection, unit_id=parent_id)
        _require_place(moved, above)
        old_above = get_unit(connection, unit_id=moved.parent_id).name if moved.parent_id else ""
        below = unit.c.path.startswith(moved.path, autoescape=True)
        district = moved.district_id if moved.kind == "district_bureau" else above.district_id
        if district != moved.district_id and _has_cases(connection, below):
            raise Conflict(f"“{moved.name}”有案件，不能移到另一个区局。请在新的区局设单位，把人员调过去，把在办的案件移送过去。")
        inside = {row.id: row.district_id for row in connection.execute(select(unit.c.id, unit.c.district_id).where(below))}
        mine = [id for id, was in inside.items() if was == moved.district_id]
        connection.execute(update(unit).where(below).values(path=literal(above.path + moved.code + "/") + func.substr(unit.c.path, len(moved.path) + 1), updated_at=at))
        connection.execute(update(unit).where(unit.c.id.in_(mine)).values(district_id=district))
        connection.execute(update(unit).where(unit.c.id == unit_id).values(parent_id=parent_id))
        return Done(text=f"“{moved.name}”移到“{above.name}”下面", unit_id=unit_id, detail={"from": old_above, "to": above.name, "units": len(inside)})

    perform(app, actor=actor, right=ADMIN, verb="move_unit", key=key, at=at, do=do, reason=reason, why_required=True)


def close_unit(app: Application, *, actor: Actor, unit_id: UUID, reason: str, key: str, at: datetime) -> None:
    """No more in use; history stays. Raises Conflict while there are units below, people, open cases or open steps."""

    def do(connection: Connection) -> Done:
        row = get_unit(connection, unit_id=unit_id)
        if left := what_is_left(connection, row, on=legal_date(at)):
            raise Conflict(f"“{row.name}”还不能撤销：还有{'、'.join(left)}。请先移交或调出。")
        connection.execute(update(unit).where(unit.c.id == unit_id).values(active=False, updated_at=at))
        return Done(text=f"撤销“{row.name}”", unit_id=unit_id)

    perform(app, actor=actor, right=ADMIN, verb="close_unit", key=key, at=at, do=do, reason=reason, why_required=True)


def reopen_unit(app: Application, *, actor: Actor, unit_id: UUID, reason: str, key: str, at: datetime) -> None:
    """In use again. Raises Conflict when the unit above is closed."""

    def do(connection: Connection) -> Done:
        row = get_unit(connection, unit_id=unit_id)
        if row.parent_id and not get_unit(connection, unit_id=row.parent_id).active:
            raise Conflict("上级单位已撤销，请先恢复上级单位。")
        connection.execute(update(unit).where(unit.c.id == unit_id).values(active=True, updated_at=at))
        return Done(text=f"恢复“{row.name}”", unit_id=unit_id)

    perform(app, actor=actor, right=ADMIN, verb="reopen_unit", key=key, at=at, do=do, reason=reason, why_required=True)


def what_is_left(connection: Connection, row: Row, *, on: date) -> list[str]:
    """What keeps a unit from being closed, in words; empty when nothing does."""
    counts = connection.execute(select(
        select(func.count()).select_from(unit).where(unit.c.parent_id == row.id, unit.c.active).scalar_subquery(),
        select(func.count()).select_from(post).where(post.c.unit_id == row.id, holds_on(on)).scalar_subquery(),
        select(func.count()).select_from(case_file).where(case_file.c.unit_id == row.id, case_file.c.closed_at.is_(None), case_file.c.voided_at.is_(None)).scalar_subquery(),
        select(func.count()).select_from(task_candidate.join(task, task.c.id == task_candidate.c.task_id)).where(task_candidate.c.unit_id == row.id, task_candidate.c.open).scalar_subquery(),
    )).one()
    words = ("{} 个下属单位", "{} 个在任的岗位", "{} 件在办的案件", "{} 件待办")
    return [word.format(count) for word, count in zip(words, counts, strict=True) if count]


def _require_place(moved: Row, above: Row) -> None:
    if not above.active:
        raise Conflict(f"“{above.name}”已撤销，不能移到它下面。")
    if above.path.startswith(moved.path):
        raise Conflict("不能移到自己或自己的下属单位下面。")
    if above.bureau != moved.bureau:
        raise Conflict("不能移到另一条线（城管执法、市场监管）下面。")
    if above.id == moved.parent_id:
        raise Conflict(f"“{moved.name}”已经在“{above.name}”下面。")


def _has_cases(connection: Connection, below: Any) -> bool:
    return bool(connection.scalar(select(select(case_file.c.id).where(case_file.c.unit_id.in_(select(unit.c.id).where(below))).exists())))


def _require_name(name: str) -> None:
    if not name.strip():
        raise Invalid("请填写单位名称。", fields={"name": "请填写单位名称。"})


def _keep_name(connection: Connection, unit_id: UUID, name: str, short_name: str, from_on: date, source: str) -> None:
    connection.execute(insert(unit_name).values(id=new_id(), unit_id=unit_id, name=name, short_name=short_name, valid_from=from_on, source=source))


def unit_name_on(connection: Connection, *, unit_id: UUID, on: date) -> str:
    """What a unit was called on a day; its present name when nothing older is known."""
    n = unit_name.c
    before = select(n.name).where(n.unit_id == unit_id, n.valid_from <= on).order_by(n.valid_from.desc(), n.id.desc()).limit(1)
    return str(connection.scalar(select(case((before.exists(), before.scalar_subquery()), else_=unit.c.name)).where(unit.c.id == unit_id)) or "")
