"""Cases that begin by themselves: at a time, by a signal, by a record that comes to fulfil a condition. Each once."""
from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from engine.kernel.clock import SHANGHAI
from engine.kernel.errors import Conflict, DeployRefused, Forbidden, GuichengError, Invalid
from engine.kernel.ids import new_id
from engine.registers.catalogue import get_register
from engine.registers.write_record import write_record
from engine.runtime.deliver_signal import deliver_signal
from engine.runtime.fire_due_starts import fire_due_starts
from engine.runtime.invariants import find_violations
from engine.runtime.look_at_changes import look_at_changes
from engine.runtime.start_case import start_case
from engine.runtime.start_failures import listed, retry_start, skip_start
from engine.runtime.steer_start import resume_start, stop_start
from engine.storage.tables.cases import case_file
from engine.storage.tables.runtime import instance, task
from engine.storage.tables.waiting import start_event, start_look
from tests.engine.runtime.pack import check_task, declare, deploy, drawn, flow
from tests.engine.runtime.walk import key, start_clue
from tests.town import Town

UMBRELLA = "borrow_umbrella.umbrella"


def timer(kind: str, text: str, *, id: str = "tick", unit: str = "station_one") -> str:
    return f'<bpmn:startEvent id="{id}" name="到点" gc:unit="{unit}"><bpmn:timerEventDefinition><bpmn:{kind}>{text}</bpmn:{kind}></bpmn:timerEventDefinition></bpmn:startEvent>'


def put(town: Town, start: str, *, name: str = "stocktaking", outside: str = "", ids: tuple[str, ...] = ("tick",)) -> Any:
    facts = '<bpmn:extensionElements><gc:fact name="scheduled_at" type="text"/><gc:fact name="code" type="text"/></bpmn:extensionElements>'
    return deploy(town, f"{name}.bpmn", drawn(name, facts + start + check_task() + "".join(flow(id, "check") for id in ids), outside=outside))


def cases(town: Town, name: str = "stocktaking") -> list[Any]:
    with town.app.db.connect() as connection:
        query = select(case_file, instance.c.started_at).join(instance, instance.c.case_id == case_file.c.id)
        return list(connection.execute(query.where(instance.c.process == f"borrow_umbrella.{name}").order_by(instance.c.id)).mappings())


def row(town: Town, event: str = "tick", name: str = "stocktaking") -> Any:
    with town.app.db.connect() as connection:
        query = select(start_event).where(start_event.c.process == f"borrow_umbrella.{name}", start_event.c.event == event)
        return connection.execute(query).mappings().one_or_none()


def fire(town: Town) -> int:
    return fire_due_starts(town.app, town.app.clock.now())


def test_a_cycle_begins_one_case_a_round_and_missed_rounds_count_as_one(town: Town) -> None:
    declare(town, "stocktaking")
    put(town, timer("timeCycle", "R/2026-11-01T08:00:00/P1D"))
    assert row(town)["due_at"].astimezone(SHANGHAI) == datetime(2026, 11, 21, 8, tzinfo=SHANGHAI)
    assert fire(town) == 0
    town.app.clock.advance(timedelta(days=1))
    assert (fire(town), fire(town)) == (1, 0)
    town.app.clock.advance(timedelta(days=9, hours=3))  # nobody was there for nine days
    assert (fire(town), fire(town)) == (1, 0)
    found = cases(town)
    assert [c["unit_id"] for c in found] == [town.units["station_one"]] * 2 and find_violations(town.app) == []
    assert row(town)["due_at"].astimezone(SHANGHAI).day == 1 and row(town)["last_case_id"] == found[-1]["id"]
    with town.app.db.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(task).where(task.c.status == "open", task.c.node == "check")) == 2


def test_missed_starts_come_in_the_order_of_their_times(town: Town) -> None:
    declare(town, "stocktaking")
    put(town, timer("timeDate", "2026-11-23T08:00:00", id="later") + timer("timeDuration", "P1D", id="tick"), ids=("later", "tick"))
    town.app.clock.advance(timedelta(days=30))
    assert fire(town) == 2
    assert [row(town, event)["status"] for event in ("tick", "later")] == ["over", "over"]
    assert [row(town, event)["last_case_id"] for event in ("tick", "later")] == [c["id"] for c in cases(town)]
    assert fire(town) == 0


def test_a_new_version_keeps_an_unchanged_schedule_arms_a_changed_one_and_withdrawing_disarms(town: Town) -> None:
    declare(town, "stocktaking")
    put(town, timer("timeDuration", "P3D"))
    first = row(town)
    town.app.clock.advance(timedelta(days=1))
    put(town, timer("timeDuration", "P3D").replace("到点", "时间到了"))
    assert row(town)["due_at"] == first["due_at"] and row(town)["definition_id"] != first["definition_id"]
    put(town, timer("timeDuration", "P7D"))
    assert row(town)["due_at"] == town.app.clock.now() + timedelta(days=7)
    put(town, '<bpmn:startEvent id="plain"/>', ids=("plain",))
    assert row(town) is None
    town.app.clock.advance(timedelta(days=30))
    assert fire(town) == 0


def test_a_time_that_was_over_at_the_deploy_never_fires(town: Town) -> None:
    declare(town, "stocktaking")
    put(town, timer("timeDate", "2026-11-01"))
    assert row(town)["status"] == "over" and fire(town) == 0
    put(town, timer("timeCycle", "R3/2026-11-18T08:00:00/P1D"))
    assert row(town)["status"] == "over"
    put(town, timer("timeCycle", "R5/2026-11-18T08:00:00/P1D"))
    assert (row(town)["status"], row(town)["left_over"]) == ("armed", 2)


def test_an_officer_may_start_by_hand_what_also_starts_by_itself(town: Town) -> None:
    declare(town, "stocktaking")
    put(town, '<bpmn:startEvent id="plain"/>' + timer("timeDuration", "PT1H"), ids=("plain", "tick"))
    start_case(town.app, actor=town.actor("head"), process="borrow_umbrella.stocktaking", key=key(), at=town.app.clock.now())
    town.app.clock.advance(timedelta(hours=2))
    assert fire(town) == 1 and len(cases(town)) == 2


def test_an_operator_stops_and_resumes_it_with_a_reason(town: Town) -> None:
    declare(town, "stocktaking")
    put(town, timer("timeCycle", "R/PT1H"))
    which = {"process": "borrow_umbrella.stocktaking", "event": "tick"}
    with pytest.raises(Forbidden):
        stop_start(town.app, actor=town.actor("officer"), **which, reason="x", at=town.app.clock.now())
    with pytest.raises(Invalid):
        stop_start(town.app, actor=town.actor("keeper"), **which, reason=" ", at=town.app.clock.now())
    stop_start(town.app, actor=town.actor("keeper"), **which, reason="盘点暂停。", at=town.app.clock.now())
    with pytest.raises(Conflict):
        stop_start(town.app, actor=town.actor("keeper"), **which, reason="再停。", at=town.app.clock.now())
    town.app.clock.advance(timedelta(hours=5, minutes=1))
    assert fire(town) == 0
    put(town, timer("timeCycle", "R/PT2H"))
    assert row(town)["status"] == "stopped"
    town.app.clock.advance(timedelta(hours=5))
    resume_start(town.app, actor=town.actor("keeper"), **which, reason="接着盘点。", at=town.app.clock.now())
    assert fire(town) == 0 and row(town)["due_at"] > town.app.clock.now()
    town.app.clock.advance(timedelta(hours=2))
    assert fire(town) == 1


def test_a_start_that_fails_says_why_and_is_tried_again(town: Town) -> None:
    declare(town, "stocktaking")
    put(town, timer("timeDuration", "PT1H", unit="no_such_unit"))
    town.app.clock.advance(timedelta(hours=1))
    assert fire(town) == 0 and "没有找到" in row(town)["problem"] and cases(town) == []
    town.app.clock.advance(timedelta(minutes=6))
    assert fire(town) == 0 and row(town)["look_at"] == town.app.clock.now() + timedelta(minutes=5)
    put(town, timer("timeDuration", "PT1H"))
    assert fire(town) == 1 and row(town)["problem"] == ""


def test_a_signal_begins_one_case_beside_those_that_wait_for_it(town: Town) -> None:
    declare(town, "stocktaking")
    put(town, '<bpmn:startEvent id="tick" gc:unit="station_two"><bpmn:signalEventDefinition signalRef="s"/></bpmn:startEvent>', outside='<bpmn:signal id="s" name="rain"/>')
    assert deliver_signal(town.app, name="sun", key="d0") == 0
    assert deliver_signal(town.app, name="rain", key="d1") == deliver_signal(town.app, name="rain", key="d1") == 1
    town.app.jobs.run_due(town.app)
    assert [c["unit_id"] for c in cases(town)] == [town.units["station_two"]]


def until_the_last(town: Town) -> None:
    """Run jobs as time goes by, until one fails for the last time."""
    for _ in range(30):
        town.app.clock.advance(timedelta(hours=2))
        town.app.jobs.run_due(town.app, at=town.app.clock.now())


def test_a_signal_start_that_failed_ten_times_waits_for_an_operator_who_retries_or_skips_it(town: Town) -> None:
    declare(town, "stocktaking")
    wrong = '<bpmn:startEvent id="tick" gc:unit="nowhere"><bpmn:signalEventDefinition signalRef="s"/></bpmn:startEvent>'
    put(town, wrong, outside='<bpmn:signal id="s" name="rain"/>')
    deliver_signal(town.app, name="rain", key="d1")
    deliver_signal(town.app, name="rain", key="d2")
    for _ in range(2):
        with pytest.raises(GuichengError):
            until_the_last(town)
    keeper, at = town.actor("keeper"), town.app.clock.now()
    with town.app.db.connect() as connection:
        one, two = listed(connection, actor=keeper)
        with pytest.raises(Forbidden):
            listed(connection, actor=town.actor("head"))
    assert "没有找到" in one["message"] and cases(town) == []
    for steer in (lambda: retry_start(town.app, actor=town.actor("head"), failure_id=one["id"], reason="", at=at), lambda: skip_start(town.app, actor=town.actor("head"), failure_id=one["id"], reason="不。", at=at)):
        with pytest.raises(Forbidden):
            steer()
    with pytest.raises(Invalid):
        skip_start(town.app, actor=keeper, failure_id=one["id"], reason=" ", at=at)
    for _ in range(2):  # an answer that was lost is asked for again
        skip_start(town.app, actor=keeper, failure_id=one["id"], reason="已经另行发起。", at=at)
    with pytest.raises(Conflict):
        retry_start(town.app, actor=keeper, failure_id=one["id"], reason="", at=at)
    put(town, wrong.replace("nowhere", "station_two"), outside='<bpmn:signal id="s" name="rain"/>')
    for _ in range(2):
        retry_start(town.app, actor=keeper, failure_id=two["id"], reason="", at=at)
    town.app.jobs.run_due(town.app)
    assert [c["unit_id"] for c in cases(town)] == [town.units["station_two"]] and find_violations(town.app) == []
    with town.app.db.connect() as connection:
        assert listed(connection, actor=keeper) == [] and {row["status"] for row in listed(connection, actor=keeper, open_only=False)} == {"retried", "skipped"}


def test_a_case_begun_by_a_signal_belongs_to_the_case_that_threw_it(town: Town) -> None:
    declare(town, "stocktaking")
    put(town, '<bpmn:startEvent id="tick"><bpmn:signalEventDefinition signalRef="s"/></bpmn:startEvent>', outside='<bpmn:signal id="s" name="rain"/>')
    thrower = start_clue(town)
    assert deliver_signal(town.app, name="rain", key="d1", except_instance=thrower.instance_id) == 1
    town.app.jobs.run_due(town.app)
    assert [(c["parent_id"], c["unit_id"]) for c in cases(town)] == [(thrower.case_id, town.units["station_one"])]


CONDITION = '<bpmn:startEvent id="tick" gc:register="umbrella"><bpmn:conditionalEventDefinition><bpmn:condition>{}</bpmn:condition></bpmn:conditionalEventDefinition></bpmn:startEvent>'


def write(town: Town, record_id: UUID, **values: Any) -> None:
    declared, table = get_register(town.app.library, UMBRELLA)
    with town.app.db.begin() as connection:
        write_record(
            connection, register=declared, table=table, record_id=record_id, values=values, case_id=None, unit_id=town.units["station_one"],
            district_id=None, keys=town.app.keys, at=town.app.clock.now(), by_id=None, by_name="系统",
        )


def look(town: Town) -> int:
    found = look_at_changes(town.app, town.app.clock.now())
    town.app.jobs.run_due(town.app)
    return found


def test_a_condition_begins_a_case_when_a_record_comes_to_fulfil_it(town: Town) -> None:
    declare(town, "stocktaking")
    one, two = new_id(), new_id()
    write(town, one, code="A1", price="300")
    put(town, CONDITION.format("price &gt; 100 and condition = \"broken\""))
    write(town, two, code="B2", condition="broken")
    assert look(town) == 0
    write(town, one, condition="broken")
    write(town, one, code="A2")
    assert look(town) == 1 and look(town) == 0  # true before and after is no new start
    write(town, one, condition="good")
    write(town, one, condition="broken")
    assert look(town) == 1
    found = cases(town)
    assert [c["unit_id"] for c in found] == [town.units["station_one"]] * 2
    with town.app.db.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(start_look)) == 0


def test_nothing_is_noted_for_registers_nobody_looks_at(town: Town) -> None:
    write(town, new_id(), code="A1", price="300")
    with town.app.db.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(start_look)) == 0


NEVER = (
    (timer("timeDuration", "PT1H").replace('gc:unit="station_one"', ""), "没有写明由哪个单位办"),
    (timer("timeCycle", '="每天"'), "不是 ISO 8601"),
    (timer("timeDate", "=nothing"), "没有声明"),
    (CONDITION.format("weight &gt; 3"), "不是台账"),
    (CONDITION.format("price &gt; 3").replace("umbrella", "nowhere"), "不存在"),
    (CONDITION.format("price &gt; 3").replace(' gc:register="umbrella"', ""), "没有写明看哪个台账"),
)


def test_a_start_event_that_could_never_begin_a_case_is_refused(town: Town) -> None:
    with pytest.raises(DeployRefused, match="starts"):
        put(town, timer("timeDuration", "PT1H"))
    declare(town, "stocktaking")
    for start, words in NEVER:
        with pytest.raises(DeployRefused) as refused:
            put(town, start)
        assert words in refused.value.message + str(refused.value.findings)
    assert row(town) is None


def test_a_process_that_would_begin_itself_for_ever_is_refused(town: Town) -> None:
    declare(town, "stocktaking")
    throw = '<bpmn:endEvent id="end"><bpmn:signalEventDefinition signalRef="s"/></bpmn:endEvent>' + flow("check", "end")
    start = '<bpmn:startEvent id="tick" gc:unit="city"><bpmn:signalEventDefinition signalRef="s"/></bpmn:startEvent>' + throw
    with pytest.raises(DeployRefused, match="没完没了"):
        put(town, start, outside='<bpmn:signal id="s" name="rain"/>')
