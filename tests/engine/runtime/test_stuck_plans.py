"""The finder of stuck cases goes by indexes: nothing is read from end to end where there is much of it."""
from __future__ import annotations

import re
import time
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from engine.access.scope import restrict
from engine.runtime.queries import stuck
from engine.runtime.queries.stuck import MOST, REASONS, find_stuck, limits_for, messages
from engine.storage.tables.runtime import instance
from tests.engine.runtime.pack import check_task, deploy, drawn, flow
from tests.town import Town
from tests.waiting_rows import copy_waiting, waiting_case

MANY, OPEN = 20_000, 2_000
HISTORY, WAITING = {"instance", "task", "effect", "case_file", "act"}, {"timer", "subscription"}
SLOWEST = 3.0


def scanned(plan: Any) -> set[str]:
    """Tables that a plan reads from end to end."""
    return set(re.findall(r"Seq Scan on (\w+)", plan))


def fill(town: Town) -> None:
    template = waiting_case(town)
    send = '<bpmn:startEvent id="start"/>' + check_task() + '<bpmn:endEvent id="sent"><bpmn:messageEventDefinition messageRef="m"/></bpmn:endEvent>'
    deploy(town, "sending.bpmn", drawn("sending", send + flow("start", "check") + flow("check", "sent"), outside='<bpmn:message id="m" name="parcel"/>'))
    with town.app.db.begin() as connection:
        copy_waiting(connection, template, count=MANY, due_at=town.app.clock.now() + timedelta(days=60), apart=timedelta(seconds=1))
        values = {"first": 1, "last": MANY, "instance": template["id"], "case": template["case_id"]}
        connection.execute(text(
            "INSERT INTO task (id, instance_id, case_id, engine_id, node, process, title, role, status, opened_at, ended_at) "
            "SELECT gen_random_uuid(), CAST(:instance AS uuid), CAST(:case AS uuid), 'old' || g, 'check', 'borrow_umbrella.waiting', '清点', 'borrow_umbrella.keeper', 'done', now(), now() FROM generate_series(CAST(:first AS int), CAST(:last AS int)) g"
        ), values)
        connection.execute(text(
            "INSERT INTO effect (id, key, instance_id, engine_id, node, handler, arguments, status, created_at, updated_at) "
            "SELECT gen_random_uuid(), 'old' || g, CAST(:instance AS uuid), 'old' || g, 'x', 'gc.x', '{}', 'done', now(), now() FROM generate_series(CAST(:first AS int), CAST(:last AS int)) g"
        ), {name: values[name] for name in ("first", "last", "instance")})
        ended = f"SELECT id FROM instance WHERE id <> '{template['id']}' ORDER BY id LIMIT {MANY - OPEN}"
        for statement in (f"DELETE FROM timer WHERE instance_id IN ({ended})", f"DELETE FROM subscription WHERE instance_id IN ({ended})",
                          f"UPDATE instance SET status = 'completed', ended_at = now() WHERE id IN ({ended})"):
            connection.execute(text(statement))
    with town.app.db.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE instance, task, timer, subscription, effect, case_file, act"))


def test_the_running_are_walked_in_slices_and_a_look_goes_on_where_the_last_one_stopped(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stuck, "SLICE", 7)
    monkeypatch.setattr(stuck, "MOST", 8)
    with town.app.db.begin() as connection:
        copy_waiting(connection, waiting_case(town), count=40, due_at=town.app.clock.now() + timedelta(days=60), apart=timedelta(seconds=1))
        idle = list(connection.scalars(text("SELECT id FROM instance WHERE status = 'running' ORDER BY id OFFSET 3 LIMIT 20")))
        for table in ("timer", "subscription"):
            connection.execute(text(f"DELETE FROM {table} WHERE instance_id = ANY(:idle)"), {"idle": idle})
    found: list[UUID] = []
    after, looks = None, 0
    with town.app.db.connect() as connection:
        limits = limits_for(connection, days=1, today=town.app.clock.today() + timedelta(days=20), now=town.app.clock.now() + timedelta(days=20))
        while looks == 0 or after is not None:
            walked = stuck.walk_running(connection, actor=town.actor("keeper"), limits=limits, after=after, seconds=0 if looks % 2 else 9)
            found, after, looks = found + [row["instance_id"] for row in walked.rows], walked.following, looks + 1
    assert (found, looks >= 3) == (idle, True)


def test_no_reason_reads_a_large_table_from_end_to_end(town: Town) -> None:
    fill(town)
    keeper, now = town.actor("keeper"), town.app.clock.now() + timedelta(days=20)
    with town.app.db.connect() as connection:
        limits = limits_for(connection, days=10, today=town.app.clock.today() + timedelta(days=20), now=now)
        for reason in (*REASONS, messages(town.app.library)):
            statement = restrict(reason.query(limits), keeper, case_id=instance.c.case_id).limit(MOST)
            written = str(statement.compile(connection, compile_kwargs={"literal_binds": True}))
            plan = "\n".join(connection.exec_driver_sql("EXPLAIN " + written.replace("%%", "%").replace("%", "%%")).scalars())
            assert not scanned(plan) & (HISTORY if reason.key == "nothing" else HISTORY | WAITING), (reason.key, plan)
            started = time.process_time()
            find_stuck(connection, actor=keeper, limits=limits, reason=reason)
            assert time.process_time() - started < SLOWEST, reason.key
