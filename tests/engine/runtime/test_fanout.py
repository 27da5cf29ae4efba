"""Many items at once: a case each, counted down, told to the parent once, and steered as a whole."""
from __future__ import annotations

import multiprocessing
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from engine.kernel.errors import Conflict, Invalid, NotFound
from engine.runtime.complete_task import complete_task
from engine.runtime.deliver_items import deliver_items
from engine.runtime.end_items import cancel_rest, skip_item
from engine.runtime.fire_due_timers import fire_due_timers
from engine.runtime.invariants import find_violations
from engine.runtime.operating.terminate_instance import terminate_instance
from engine.runtime.start_case import start_case
from engine.runtime.suspend_instance import resume_case, suspend_case
from engine.storage.tables.cases import case_file
from engine.storage.tables.runtime import act, incident, instance, task, timer
from engine.storage.tables.waiting import fanout, fanout_item
from tests.engine.runtime.pack import check_task, declare, deploy, drawn, flow
from tests.engine.runtime.walk import key, open_nodes
from tests.town import Town

START = '<bpmn:startEvent id="start"/>'
FACTS = (
    '<bpmn:extensionElements><gc:fact name="answers" type="list"/><gc:fact name="answers_count" type="number"/><gc:fact name="answers_tally" type="list"/>'
    '<gc:fact name="place" type="text"/></bpmn:extensionElements>'
)
FORK = multiprocessing.get_context("fork")


def many(items: str, *, more: str = "", condition: str = "") -> str:
    """The repetition over the FEEL list ``items``."""
    until = f"<bpmn:completionCondition>{condition}</bpmn:completionCondition>" if condition else ""
    return f'<bpmn:multiInstanceLoopCharacteristics gc:collection="{items}" gc:item="spot" gc:results="answers" {more}>{until}</bpmn:multiInstanceLoopCharacteristics>'


def checking(items: str, **kw: str) -> str:
    """A task for each item, then one more for the parent."""
    return FACTS + START + check_task(inside=many(items, **kw)) + check_task(id="sum_up") + flow("start", "check") + flow("check", "sum_up")


def put(town: Town, body: str, *, outside: str = "") -> None:
    declare(town, "round")
    deploy(town, "round.bpmn", drawn("round", body, outside=outside))


def begin(town: Town, body: str, **kw: Any) -> UUID:
    put(town, body, **kw)
    case_id = start_case(town.app, actor=town.actor("head"), process="borrow_umbrella.round", key=key(), at=town.app.clock.now()).case_id
    town.app.jobs.run_due(town.app)
    return case_id


def the_fanout(town: Town) -> Any:
    with town.app.db.connect() as connection:
        return connection.execute(select(fanout)).mappings().one()


def items(town: Town, status: str | None = None) -> list[Any]:
    with town.app.db.connect() as connection:
        query = select(fanout_item).order_by(fanout_item.c.index)
        return list(connection.execute(query.where(fanout_item.c.status == status) if status else query).mappings())


def answer(town: Town, item: Any, outcome: str = "done", **data: Any) -> Any:
    with town.app.db.connect() as connection:
        row = connection.execute(select(task).where(task.c.instance_id == item["instance_id"], task.c.status == "open")).mappings().one()
    return complete_task(town.app, actor=town.actor("head"), task_id=row["id"], data=data, outcome=outcome, key=f"answer:{row['id']}", at=town.app.clock.now())


def facts(town: Town, case_id: UUID) -> Any:
    from engine.runtime.begin import load_machine

    with town.app.db.connect() as connection:
        row = dict(connection.execute(select(instance).where(instance.c.case_id == case_id)).mappings().one())
    return load_machine(town.app, row, town.app.clock.now()).facts()


def test_above_fifty_items_each_is_a_case_and_the_parent_is_told_once_in_order(town: Town) -> None:
    case_id = begin(town, checking("for i in 1..60 return &quot;第&quot; + string(i) + &quot;号&quot;", more='gc:result="spot" gc:unit="=if loopCounter = 1 then &quot;station_two&quot; else &quot;station_one&quot;"'))
    assert open_nodes(town, case_id) == [] and len(items(town, "running")) == 60
    with town.app.db.connect() as connection:
        children = connection.execute(
            select(case_file.c.title, case_file.c.unit_id).join(fanout_item, fanout_item.c.case_id == case_file.c.id).where(case_file.c.parent_id == case_id)
            .order_by(fanout_item.c.index)
        ).all()
    assert (children[0].title, children[0].unit_id, children[1].unit_id) == ("清点雨伞：第1号", town.units["station_two"], town.units["station_one"])
    assert find_violations(town.app) == []
    for item in reversed(items(town)[1:]):
        answer(town, item)
    town.app.jobs.run_due(town.app)
    assert open_nodes(town, case_id) == [] and the_fanout(town)["remaining"] == 1
    with town.app.db.connect() as connection:
        last = connection.execute(select(task).where(task.c.instance_id == items(town)[0]["instance_id"])).mappings().one()
    complete_task(town.app, actor=town.actor("other_head"), task_id=last["id"], data={}, outcome="done", key=key(), at=town.app.clock.now())
    town.app.jobs.run_due(town.app)
    assert open_nodes(town, case_id) == ["sum_up"]
    found = facts(town, case_id)
    assert (found["answers"][:2], found["answers"][-1], found["answers_count"]) == (["第1号", "第2号"], "第60号", 60)
    assert deliver_items(town.app, fanout_id=str(the_fanout(town)["id"])) is False
    with town.app.db.connect() as connection:
        left = select(func.count()).select_from(case_file).where(case_file.c.parent_id == case_id, case_file.c.closed_at.is_(None))
        assert connection.scalar(left) == 0
    assert find_violations(town.app) == []


def test_enough_answers_end_the_rest(town: Town) -> None:
    case_id = begin(town, checking("for i in 1..6 return i", more='gc:fanout="always"', condition="completed / instances &gt;= 0.5"))
    for item in items(town)[:3]:
        answer(town, item)
    assert the_fanout(town)["status"] == "ended"
    town.app.jobs.run_due(town.app)
    assert open_nodes(town, case_id) == ["sum_up"] and [i["status"] for i in items(town)] == ["done"] * 3 + ["cancelled"] * 3
    assert facts(town, case_id)["answers_tally"] == [{"result": "done", "count": 3}]
    with town.app.db.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(task).where(task.c.node == "check", task.c.status == "open")) == 0
        assert connection.scalar(select(func.count()).select_from(instance).where(instance.c.status == "cancelled")) == 3
    assert find_violations(town.app) == []


def test_a_condition_may_read_what_came_back_so_far(town: Town) -> None:
    case_id = begin(town, checking("for i in 1..4 return i", more='gc:fanout="always" gc:result="spot * 10"', condition="sum(results) &gt;= 50"))
    for index in (3, 0):
        answer(town, items(town)[index])
    town.app.jobs.run_due(town.app)
    assert open_nodes(town, case_id) == ["sum_up"] and facts(town, case_id)["answers"] == [10, 40]


def body_of_two() -> str:
    """A sub-process for each item: two tasks, a timer beside the first."""
    inside = (
        many("for i in 1..3 return i", more='gc:fanout="always"') + '<bpmn:startEvent id="s"/>' + check_task(id="look") + check_task(id="write") + flow("s", "look") + flow("look", "write")
        + '<bpmn:boundaryEvent id="late" attachedToRef="look"><bpmn:timerEventDefinition><bpmn:timeDuration>P1D</bpmn:timeDuration></bpmn:timerEventDefinition></bpmn:boundaryEvent>'
        + flow("late", "write")
    )
    return FACTS + START + f'<bpmn:subProcess id="visit" name="走访">{inside}</bpmn:subProcess>' + check_task(id="sum_up") + flow("start", "visit") + flow("visit", "sum_up")


def test_a_body_runs_in_each_case_and_suspending_the_parent_reaches_it(town: Town) -> None:
    case_id = begin(town, body_of_two())
    keeper = {"actor": town.actor("keeper"), "case_id": case_id, "at": town.app.clock.now()}
    answer(town, items(town)[0])
    suspend_case(town.app, **keeper, reason="等通知。", key="hold")
    town.app.jobs.run_due(town.app)
    with pytest.raises(Conflict, match="暂停"):
        answer(town, items(town)[1])
    town.app.clock.advance(timedelta(days=5))
    assert fire_due_timers(town.app, town.app.clock.now()) == 0
    resume_case(town.app, **{**keeper, "at": town.app.clock.now()}, key="go")
    town.app.jobs.run_due(town.app)
    assert fire_due_timers(town.app, town.app.clock.now() + timedelta(hours=23)) == 0
    assert fire_due_timers(town.app, town.app.clock.now() + timedelta(hours=25)) == 2
    for item in items(town):
        answer(town, item)
    town.app.jobs.run_due(town.app)
    assert open_nodes(town, case_id) == ["sum_up"] and find_violations(town.app) == []
    with town.app.db.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(timer)) == 0


def test_the_rest_is_cancelled_with_right_reason_and_record(town: Town) -> None:
    case_id = begin(town, checking("for i in 1..4 return i", more='gc:fanout="always"'))
    answer(town, items(town)[2])
    id, at = the_fanout(town)["id"], town.app.clock.now()
    with pytest.raises(NotFound):
        cancel_rest(town.app, actor=town.actor("officer"), fanout_id=id, reason="不等了。", at=at)
    with pytest.raises(Invalid):
        cancel_rest(town.app, actor=town.actor("head"), fanout_id=id, reason=" ", at=at)
    cancel_rest(town.app, actor=town.actor("head"), fanout_id=id, reason="不等了。", at=at)
    with pytest.raises(Conflict):
        cancel_rest(town.app, actor=town.actor("head"), fanout_id=id, reason="再来。", at=at)
    town.app.jobs.run_due(town.app)
    assert open_nodes(town, case_id) == ["sum_up"] and facts(town, case_id)["answers"] == ["done"]
    assert [i["status"] for i in items(town)] == ["cancelled", "cancelled", "done", "cancelled"]
    assert find_violations(town.app) == []


def test_one_that_fails_holds_nobody_up_and_may_be_skipped(town: Town) -> None:
    case_id = begin(town, checking("for i in 1..3 return i", more='gc:fanout="always" gc:unit="=if spot = 2 then &quot;quality_section&quot; else &quot;station_one&quot;"'))
    with town.app.db.connect() as connection:
        assert connection.scalars(select(incident.c.instance_id).where(incident.c.status == "open")).all() == [items(town)[1]["instance_id"]]
    for index in (0, 2):
        answer(town, items(town)[index])
    skip = {"actor": town.actor("keeper"), "fanout_id": the_fanout(town)["id"], "index": 1, "at": town.app.clock.now()}
    with pytest.raises(Invalid):
        skip_item(town.app, **skip, reason="", key="s0")
    for _ in range(2):
        skip_item(town.app, **skip, reason="此处没有雨伞。", key="s1")
    town.app.jobs.run_due(town.app)
    assert open_nodes(town, case_id) == ["sum_up"] and facts(town, case_id)["answers"] == ["done", None, "done"]
    with town.app.db.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(incident).where(incident.c.status == "open")) == 0
    assert find_violations(town.app) == []


def test_an_item_that_an_operator_terminates_counts_as_passed_over_and_terminating_the_parent_ends_all(town: Town) -> None:
    case_id = begin(town, checking("for i in 1..3 return i", more='gc:fanout="always"'))
    keeper = {"actor": town.actor("keeper"), "reason": "不用办了。", "at": town.app.clock.now()}
    terminate_instance(town.app, instance_id=items(town)[0]["instance_id"], key="end-one", **keeper)
    assert [i["status"] for i in items(town)] == ["skipped", "running", "running"] and the_fanout(town)["remaining"] == 2
    with town.app.db.connect() as connection:
        parent = connection.scalar(select(instance.c.id).where(instance.c.case_id == case_id))
    terminate_instance(town.app, instance_id=parent, key="end-all", **keeper)
    town.app.jobs.run_due(town.app)
    assert [i["status"] for i in items(town)] == ["skipped", "cancelled", "cancelled"] and the_fanout(town)["status"] == "cancelled"
    assert find_violations(town.app) == []


def test_leaving_the_activity_calls_all_of_it_off(town: Town) -> None:
    late = '<bpmn:boundaryEvent id="late" attachedToRef="check"><bpmn:timerEventDefinition><bpmn:timeDuration>P1D</bpmn:timeDuration></bpmn:timerEventDefinition></bpmn:boundaryEvent>'
    case_id = begin(town, checking("for i in 1..3 return i", more='gc:fanout="always"') + late + flow("late", "sum_up"))
    answer(town, items(town)[0])
    assert fire_due_timers(town.app, town.app.clock.now() + timedelta(days=2)) == 1
    town.app.jobs.run_due(town.app)
    assert open_nodes(town, case_id) == ["sum_up"] and the_fanout(town)["status"] == "cancelled"
    assert [i["status"] for i in items(town)] == ["done", "cancelled", "cancelled"] and find_violations(town.app) == []


def test_answers_that_race_tell_the_parent_once(town: Town) -> None:
    case_id = begin(town, checking("for i in 1..12 return i", more='gc:fanout="always"'))
    children = items(town)

    def work(share: list[Any]) -> None:
        town.app.db.dispose(close=False)
        for item in share:
            answer(town, item)
        deliver_items(town.app, fanout_id=str(children[0]["fanout_id"]))

    racers = [FORK.Process(target=work, args=(children[start::3],), daemon=True) for start in range(3)]
    for one in racers:
        one.start()
    for one in racers:
        one.join(60)
        assert one.exitcode == 0
    town.app.jobs.run_due(town.app)
    with town.app.db.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(act).where(act.c.kind == "fanout", act.c.case_id == case_id)) == 1
    assert open_nodes(town, case_id) == ["sum_up"] and find_violations(town.app) == []
