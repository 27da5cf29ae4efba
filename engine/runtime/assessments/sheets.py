"""The score sheet as administrators edit it: each version is kept, rounds opened from then on take it, older rounds keep theirs."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, func, insert, select

from engine.access import audit
from engine.access.actors import Actor
from engine.kernel.errors import Invalid
from engine.kernel.ids import new_id
from engine.kernel.names import pack_of
from engine.packs.library import Library
from engine.reporting.assessments.catalogue import find_statistic
from engine.reporting.assessments.declaration import Assessment
from engine.reporting.assessments.sheet import Item, read_items
from engine.runtime.application import Application
from engine.runtime.change_counting import require_change_counting
from engine.storage.tables.assessments import assessment_sheet


def items_of(library: Library, assessment: Assessment, told: Sequence[Mapping[str, Any]]) -> tuple[Item, ...]:
    """Plain data as items, checked against the statistics in force; raises Invalid."""
    return read_items(told, pack=pack_of(assessment.name), find=lambda name: find_statistic(library, name), full=assessment.full)


def sheet_in_force(connection: Connection, library: Library, assessment: Assessment) -> tuple[int, tuple[Item, ...]]:
    """(version, items): the last one that was edited, else the pack's own as version 0. Raises Invalid when a statistic that it takes has gone."""
    t = assessment_sheet.c
    row = connection.execute(select(t.version, t["items"]).where(t.assessment == assessment.name).order_by(t.version.desc()).limit(1)).one_or_none()
    return (row[0], items_of(library, assessment, row[1])) if row else (0, assessment.items)


def sheet_history(connection: Connection, assessment: Assessment) -> list[RowMapping]:
    """Who edited it when and why, the newest first."""
    t = assessment_sheet.c
    return list(connection.execute(select(t.version, t.note, t.by_name, t.at).where(t.assessment == assessment.name).order_by(t.version.desc()).limit(50)).mappings())


def save_sheet(app: Application, *, actor: Actor, assessment: Assessment, items: Sequence[Mapping[str, Any]], note: str, at: datetime) -> int:
    """A new version for rounds opened from now on. Raises Forbidden, Invalid for what the sheet gets wrong."""
    require_change_counting(actor)
    checked = items_of(app.library, assessment, items)
    known = {one.name for one in app.catalogue.roles()}
    unknown = [role for one in checked if one.several for role in one.several.weights if role not in known]
    if unknown:
        raise Invalid(f"没有角色 {'、'.join(unknown)}：权重写本业务包的角色，例如 {assessment.scores.rpartition('.')[2]}。", fields={"items": "没有这个角色。"})
    if not note.strip():
        raise Invalid("请写改了什么。", fields={"note": "写一句改了什么、依据什么。"})
    with app.db.begin() as connection:
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"assessment_sheet:{assessment.name}"))))
        version = sheet_in_force(connection, app.library, assessment)[0] + 1
        connection.execute(insert(assessment_sheet).values(
            id=new_id(), assessment=assessment.name, version=version, items=[one.plain() for one in checked], note=note.strip()[:500], by_id=actor.person_id, by_name=actor.name,
            unit_id=actor.unit_id, district_id=actor.district_id, at=at,
        ))
        audit.note(connection, actor=actor, at=at, action="assessment.sheet", object=assessment.name, detail={"version": version, "note": note.strip()})
    return version
