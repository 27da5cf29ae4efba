"""A suspended case: acts refused with the reason, timers standing still, and everything going on where it stood."""
from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from engine.kernel.errors import Conflict, Forbidden, Invalid
from engine.runtime.claim_task import claim_task
from engine.runtime.fire_due_timers import fire_due_timers
from engine.runtime.invariants import find_violations
from engine.runtime.suspend_instance import resume_case, suspend_case
from engine.runtime.urge_task import urge_task
from engine.storage.tables.organisation import notice
from engine.storage.tables.runtime import instance, task, timer
from integrations.weather_board.simulator import make_server
from tests.engine.runtime.walk import HANDLING, do, key, open_nodes, open_task, start_clue
from tests.packs.walk import Walker, found_bureau
from tests.town import Town


def suspend(town: Town, case_id: Any, one: str = "", reason: str = "等上级批复。") -> Any:
    return suspend_case(town.app, actor=town.actor("keeper"), case_id=case_id, reason=reason, key=one or key(), at=town.app.clock.now())


def resume(town: Town, case_id: Any) -> Any:
    return resume_case(town.app, actor=town.actor("keeper"), case_id=case_id, key=key(), at=town.app.clock.now())


def test_acts_on_a_suspended_case_are_refused_with_who_and_why(town: Town) -> None:
    case_id, one = start_clue(town).case_id, key()
    assert len(suspend(town, case_id, one)) == len(suspend(town, case_id, one)) == 1  # the same request twice is one act
    with town.app.db.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(notice).where(notice.c.person_id == town.people["officer"], notice.c.text.like("陆知微暂停办理%"))) == 1
    with pytest.raises(Conflict, match="由陆知微暂停，原因：等上级批复。恢复") as refused:
        do(town, "officer", "verify", "file", data=HANDLING)
    assert refused.value.code == "suspended"
    row, now = open_task(town, "verify"), town.app.clock.now()
    with pytest.raises(Conflict):
        claim_task(town.app, actor=town.actor("officer"), task_id=row["id"], key=key(), at=now)
    with pytest.raises(Conflict):
        urge_task(town.app, actor=town.actor("head"), task_id=row["id"], key=key(), at=now)
    with pytest.raises(Conflict):
        suspend(town, case_id)
    resume(town, case_id)
    do(town, "officer", "verify", "file", data=HANDLING)
    assert open_nodes(town, case_id) == ["draft"] and find_violations(town.app) == []
    with pytest.raises(Conflict):
        resume(town, case_id)


def test_only_an_operator_with_a_reason_suspends(town: Town) -> None:
    case_id = start_clue(town).case_id
    with pytest.raises(Forbidden):
        suspend_case(town.app, actor=town.actor("officer"), case_id=case_id, reason="x", key=key(), at=town.app.clock.now())
    with pytest.raises(Invalid):
        suspend(town, case_id, reason=" ")
    assert open_nodes(town, case_id) == ["verify"]


def test_a_timer_on_a_legal_clock_waits_and_fires_after_the_suspension(town: Town) -> None:
    case_id = start_clue(town).case_id
    suspend(town, case_id)
    town.app.clock.advance(timedelta(days=400))
    assert fire_due_timers(town.app, town.app.clock.now()) == 0
    resume(town, case_id)
    assert fire_due_timers(town.app, town.app.clock.now()) == 1


@pytest.fixture
def walk(app: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Walker]:
    server = make_server()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("CONNECTOR_WEATHER_BOARD_URL", f"http://127.0.0.1:{server.server_port}")
    yield Walker(app, found_bureau(app, app.clock.now()))
    server.shutdown()
    server.server_close()


def test_a_timer_has_the_time_left_that_it_had(walk: Walker) -> None:
    app, clock = walk.app, walk.app.clock
    walk.start("officer", "borrow_umbrella.borrow_umbrella", {"place": "公园", "days": 1})
    walk.run_jobs()
    walk.do("office_head", "hand_over", "lent")
    clock.advance(timedelta(days=2))
    keeper = replace(walk.actor("agency_head"), rights=frozenset({"operator"}))
    suspend_case(app, actor=keeper, case_id=walk.case_id, reason="盘点。", key=key(), at=clock.now())
    clock.advance(timedelta(days=10))
    assert fire_due_timers(app, clock.now()) == 0
    resume_case(app, actor=keeper, case_id=walk.case_id, key=key(), at=clock.now())
    assert fire_due_timers(app, clock.now() + timedelta(hours=23)) == 0
    assert fire_due_timers(app, clock.now() + timedelta(hours=25)) == 1
    with app.db.connect() as connection:
        assert connection.scalar(select(instance.c.status)) == "running"
        assert connection.scalar(select(func.count()).select_from(timer).where(timer.c.suspended)) == 0
        assert connection.scalar(select(func.count()).select_from(task).where(task.c.status == "open")) == 1
    assert find_violations(app) == []
