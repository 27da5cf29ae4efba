"""各环节未办超期预警: whoever holds a step is told the working day before it is due and when that day is over, each once.

A step without a due day of its own is late when it has lain open longer than the parameter that says ``every_step`` allows;
then the head of the office is told too.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import Connection, case, func, literal, select, update

from engine.access.notices import NewNotice, send_notices
from engine.kernel.clock import SHANGHAI, legal_date
from engine.reference import calendars
from engine.runtime.application import Application
from engine.runtime.clock_people import holders_of_task, people_of
from engine.storage.tables.cases import case_file
from engine.storage.tables.reference import parameter_value
from engine.storage.tables.runtime import instance, task

BATCH = 200


def warn_late_steps(app: Application, *, at: datetime) -> int:
    """Warn about every open step that is nearly due or late and hasn't been warned about for this day; how many steps."""
    done = 0
    for batch in (_due, _forgotten):
        while True:
            with app.db.begin() as connection:
                rows = batch(connection, legal_date(at))
                for row in rows:
                    _warn(connection, row, at)
            done += len(rows)
            if len(rows) < BATCH:
                break
    return done


def _columns() -> list[Any]:
    return [task.c.id, task.c.title, task.c.due_on, task.c.assignee_id, case_file.c.id.label("case_id"), case_file.c.title.label("case_title"), case_file.c.number,
            case_file.c.unit_id, case_file.c.handler_id]


def _due(connection: Connection, on: date) -> Sequence[Mapping[Any, Any]]:
    """Steps due by the next working day, whose stage (soon or late) hasn't been told for this very day."""
    calendar = calendars.load(connection)
    stage = case((task.c.due_on < on, literal("late:")), else_=literal("soon:")) + func.to_char(task.c.due_on, "YYYY-MM-DD")
    statement = (
        select(*_columns(), stage.label("stage")).join(case_file, case_file.c.id == task.c.case_id).join(instance, instance.c.id == task.c.instance_id)
        .where(task.c.status == "open", task.c.due_on.is_not(None), task.c.due_on <= calendar.add_working_days(on, 1), task.c.warned.is_distinct_from(stage), instance.c.status == "running")
        .order_by(task.c.due_on, task.c.id).limit(BATCH).with_for_update(of=task, skip_locked=True)
    )
    return connection.execute(statement).mappings().all()


def _forgotten(connection: Connection, on: date) -> Sequence[Mapping[Any, Any]]:
    """Steps without a due day that have lain open longer than allowed."""
    most = longest_open(connection, on)
    if most is None:
        return []
    calendar = calendars.load(connection)
    last = calendar.working_day(calendar.count_upto(on) - most)
    statement = (
        select(*_columns(), literal(f"late:{on}").label("stage")).join(case_file, case_file.c.id == task.c.case_id).join(instance, instance.c.id == task.c.instance_id)
        .where(task.c.status == "open", task.c.due_on.is_(None), task.c.warned.is_(None), task.c.opened_at < datetime.combine(last, time(), SHANGHAI), instance.c.status == "running")
        .order_by(task.c.opened_at, task.c.id).limit(BATCH).with_for_update(of=task, skip_locked=True)
    )
    return connection.execute(statement).mappings().all()


def longest_open(connection: Connection, on: date) -> int | None:
    """How many working days a step without a due day may lie open; None when no parameter says ``every_step``."""
    p = parameter_value.c
    found = connection.scalar(
        select(p.value).where(p.detail["every_step"].as_boolean(), p.unit == "working_day", p.unit_id.is_(None), p.valid_from <= on)
        .order_by(p.valid_from.desc(), (p.origin == "pack").asc(), p.id.desc()).limit(1)
    )
    return None if found is None else int(found)


def _warn(connection: Connection, row: Mapping[Any, Any], at: datetime) -> None:
    on = legal_date(at)
    people = holders_of_task(connection, task_id=row["id"], on=on)
    if row["due_on"] is None:
        words = f"超期未办：{row['title']} 放了很久还没有办"
        case_row = {"id": row["case_id"], "unit_id": row["unit_id"], "handler_id": row["handler_id"]}
        people += people_of(connection, case=case_row, names=("office_head",), clock="", on=on)
    elif row["due_on"] < on:
        words = f"超期未办：{row['title']} 应于 {row['due_on']} 办结"
    else:
        words = f"快到期：{row['title']} 应于 {row['due_on']} 办结"
    text = f"{words}　{row['number'] or ''} {row['case_title']}"
    send_notices(connection, at=at, notices=[NewNotice(person_id=id, kind="due", text=text, link=f"/tasks/{row['id']}", case_id=row["case_id"], task_id=row["id"]) for id in dict.fromkeys(people)])
    connection.execute(update(task).where(task.c.id == row["id"]).values(warned=row["stage"]))
