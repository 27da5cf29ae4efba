"""A start event came true: one case, one act, one transaction. Time, signal and condition differ only in what is known then."""
from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, select, update

from engine.expressions.builtin_temporal import AT
from engine.kernel.errors import GuichengError
from engine.runtime.advance import advance
from engine.runtime.application import Application
from engine.runtime.begin import request_hash
from engine.runtime.locate import find_act
from engine.runtime.once import once
from engine.runtime.receiving_unit import receiving_unit
from engine.runtime.settle import settle
from engine.runtime.start_case import new_case, new_instance
from engine.storage.tables.cases import case_file
from engine.storage.tables.waiting import start_event

WORDS = {"timer": "到时自动发起", "signal": "收到信号发起", "conditional": "条件成立发起"}


def open_case(
    app: Application, connection: Connection, row: RowMapping, *, key: str, facts: Mapping[str, Any], at: datetime, case_id: UUID | None = None,
    unit_id: UUID | None = None,
) -> UUID:
    """The new case of the start event ``row``, of the kind that ``starts:`` names; nothing when ``key`` was used before.

    ``case_id`` is the case it came from, which becomes its parent; ``unit_id`` gets it when the event names no unit.
    """
    earlier = find_act(connection, key)
    if earlier is not None:
        return UUID(earlier["case_id"])
    start = app.catalogue.start(row["process"])
    unit = receiving_unit(connection, row["unit"], {**facts, AT: at}, fallback=unit_id)
    case = new_case(app, connection, kind=start.kind, title=start.title, unit_id=unit, actor=None, at=at, parent_id=case_id)
    work = new_instance(
        app, connection, case=case, process=row["process"], title=start.title, actor=None, key=key, asked=request_hash(start=key), at=at,
        start_event=row["event"], payload=_declared(app, row["process"], facts),
    )
    work.outcome_title = WORDS[row["kind"]]
    advance(work)
    settle(work)
    made: UUID = case["id"]
    return made


def _declared(app: Application, process: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Those that the process declares as facts or parameters and that have a value."""
    meta = app.library.current("process", process).meta
    names = {item["name"] for item in [*meta.get("facts", []), *meta.get("parameters", [])]}
    return {name: value for name, value in facts.items() if name in names and value is not None}


@once
def start_on_event(
    app: Application, *, process: str, event: str, key: str, facts: dict[str, Any], case_id: str | None = None, unit_id: str | None = None
) -> None:
    """The job behind a signal or a record that came true; nothing when the event is stopped or gone meanwhile. The same ``key`` starts once."""
    at = app.clock.now()
    try:
        with app.db.begin() as connection:
            row = find_armed(connection, process, event)
            if row is None:
                return
            app.library.refresh(now=True)
            case = UUID(case_id) if case_id else None
            unit = UUID(unit_id) if unit_id else unit_of_case(connection, case)
            made = open_case(app, connection, row, key=key, facts=facts, at=at, case_id=case, unit_id=unit)
            connection.execute(_same(process, event).values(last_at=at, last_case_id=made, problem=""))
    except GuichengError as error:
        note_problem(app, process, event, error.message)
        raise


def find_armed(connection: Connection, process: str, event: str) -> RowMapping | None:
    """The row of the event, locked, when it is armed."""
    query = select(start_event).where(start_event.c.process == process, start_event.c.event == event, start_event.c.status == "armed")
    return connection.execute(query.with_for_update()).mappings().one_or_none()


def unit_of_case(connection: Connection, case_id: UUID | None) -> UUID | None:
    """The unit that handles ``case_id``."""
    return connection.scalar(select(case_file.c.unit_id).where(case_file.c.id == case_id)) if case_id else None


def note_problem(app: Application, process: str, event: str, message: str, *, look_at: datetime | None = None) -> None:
    """Say on the procedures page why a start failed, and let the clock look again at ``look_at``."""
    values: dict[str, Any] = {"problem": message[:500]} | ({"look_at": look_at} if look_at else {})
    with app.db.begin() as connection:
        connection.execute(_same(process, event).values(values))


def _same(process: str, event: str) -> Any:
    return update(start_event).where(start_event.c.process == process, start_event.c.event == event)
