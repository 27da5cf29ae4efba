"""Where the items of a fan-out come from, calls as its body, and what migrating and restoring do to its parent."""
from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from engine.kernel.errors import Conflict, DeployRefused
from engine.kernel.ids import new_id
from engine.registers.catalogue import get_register
from engine.registers.write_record import write_record
from engine.runtime.complete_task import complete_task
from engine.runtime.invariants import find_violations
from engine.runtime.migrating.begin_migration import begin_migration
from engine.runtime.migrating.run_migration import start_migration, undo_migration
from engine.runtime.operating.restore_snapshot import restore_snapshot
from engine.runtime.start_case import start_case
from engine.storage.tables.cases import case_file
from engine.storage.tables.runtime import act, instance, task
from engine.storage.tables.versions import migration_item
from engine.storage.tables.waiting import fanout_item
from tests.engine.runtime.pack import check_task, deploy, drawn, flow
from tests.engine.runtime.test_fanout import FACTS, START, answer, begin, facts, items, put, the_fanout
from tests.engine.runtime.walk import key, open_nodes
from tests.town import Town

REPORT = {
    "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "上报", "type": "object",
    "properties": {"spots": {"type": "array", "title": "各处", "items": {"type": "object", "properties": {
        "name": {"type": "string", "title": "地点", "maxLength": 40}, "phone": {"type": "string", "title": "电话", "maxLength": 20, "x-gc": {"encrypt": True}},
    }}, "x-gc": {"widget": "rows"}}},
}
TELL = (
    '<bpmn:userTask id="tell" name="上报" gc:role="keeper" gc:form="report"><bpmn:extensionElements>'
    '<gc:outcome value="done" title="提交" kind="submit" opinion="none"/></bpmn:extensionElements></bpmn:userTask>'
)


def many(source: str) -> str:
    return f'<bpmn:multiInstanceLoopCharacteristics gc:items="{source}" gc:item="spot" gc:label="spot.name" gc:result="spot.name" gc:results="answers"/>'


def reported(town: Town, rows: list[dict[str, str]], body: str) -> UUID:
    """A case whose first step sent ``rows`` in."""
    deploy(town, "report.json", json.dumps(REPORT).encode())
    case_id = begin(town, body)
    tell(town, case_id, rows)
    town.app.jobs.run_due(town.app)
    return case_id


def tell(town: Town, case_id: UUID, rows: list[dict[str, str]]) -> None:
    with town.app.db.connect() as connection:
        row = connection.execute(select(task).where(task.c.case_id == case_id, task.c.node == "tell", task.c.status == "open")).mappings().one()
    complete_task(town.app, actor=town.actor("head"), task_id=row["id"], data={"spots": rows}, outcome="done", key=key(), at=town.app.clock.now())


def told(source: str) -> str:
    return FACTS + START + TELL + check_task(inside=many(source)) + check_task(id="sum_up") + flow("start", "tell") + flow("tell", "check") + flow("check", "sum_up")


def test_rows_of_a_form_are_dealt_out_however_long_and_none_goes_straight_on(town: Town) -> None:
    rows = [{"name": f"第{number}处" + "长" * 30, "phone": f"138{number:08}"} for number in range(1, 701)]  # more than a fact holds
    case_id = reported(town, rows, told("task.tell.spots"))
    found = items(town)
    assert len(found) == 700 and the_fanout(town)["total"] == 700 and found[699]["title"].startswith("第700处")
    assert found[0]["item"] == {"name": rows[0]["name"], "phone": None}  # what is sealed in the form isn't copied in the clear
    for item in found[:2]:
        answer(town, item)
    assert the_fanout(town)["remaining"] == 698 and open_nodes(town, case_id) == [] and find_violations(town.app) == []
    case_id = start_case(town.app, actor=town.actor("head"), process="borrow_umbrella.round", key=key(), at=town.app.clock.now()).case_id
    tell(town, case_id, [])
    town.app.jobs.run_due(town.app)
    assert open_nodes(town, case_id) == ["sum_up"] and facts(town, case_id)["answers_count"] == 0 and find_violations(town.app) == []


def test_the_latest_answers_on_the_case_and_what_a_handler_returned(town: Town) -> None:
    with town.app.db.begin() as connection:
        register, table = get_register(town.app.library, "borrow_umbrella.umbrella")
        for number in range(60):
            write_record(connection, register=register, table=table, record_id=new_id(), values={"code": f"伞-{number:03}", "condition": "good"}, case_id=None,
                         unit_id=town.units["station_one"], district_id=town.units["district"], keys=town.app.keys, at=town.app.clock.now(), by_id=None, by_name="系统", act_id=None)
    find = '<bpmn:serviceTask id="find" name="找伞" gc:handler="gc.find_records"><bpmn:extensionElements><gc:input name="register" value="=&quot;borrow_umbrella.umbrella&quot;"/></bpmn:extensionElements></bpmn:serviceTask>'
    call = '<bpmn:callActivity id="check" name="查看" calledElement="borrow_umbrella.look"><bpmn:extensionElements><gc:input name="what" value="=spot.label"/><gc:output name="verdict" fact="place"/></bpmn:extensionElements>'
    loop = '<bpmn:multiInstanceLoopCharacteristics gc:items="result.find.found" gc:item="spot" gc:label="spot.label" gc:result="place" gc:results="answers"/></bpmn:callActivity>'
    look = (
        '<bpmn:extensionElements><gc:parameter name="what" type="text"/><gc:result name="verdict" type="text"/><gc:fact name="verdict" type="text"/></bpmn:extensionElements>'
        + START + check_task(id="see") + '<bpmn:scriptTask id="say"><bpmn:extensionElements><gc:set fact="verdict" value="&quot;看过&quot; + what"/></bpmn:extensionElements></bpmn:scriptTask>'
        + flow("start", "see") + flow("see", "say")
    )
    deploy(town, "look.bpmn", drawn("look", look))
    body = FACTS + START + TELL + find + call + loop + check_task(id="sum_up") + flow("start", "tell") + flow("tell", "find") + flow("find", "check") + flow("check", "sum_up")
    case_id = reported(town, [], body)
    assert len(items(town, "running")) == 60 and find_violations(town.app) == []
    for item in items(town):
        answer(town, item)
    town.app.jobs.run_due(town.app)
    answers = facts(town, case_id)["answers"]
    assert open_nodes(town, case_id) == ["sum_up"] and answers[0].startswith("看过伞-") and facts(town, case_id)["answers_count"] == 60
    assert find_violations(town.app) == []


def test_a_place_without_a_list_changes_nothing_and_a_wrong_one_is_refused_at_deploy(town: Town) -> None:
    deploy(town, "report.json", json.dumps(REPORT).encode())
    case_id = begin(town, told("form.report.nothing"))
    with pytest.raises(Conflict, match="没有一列内容"):
        tell(town, case_id, [{"name": "一"}])
    assert open_nodes(town, case_id) == ["tell"] and find_violations(town.app) == []
    for wrong in ("spots", "task.nowhere.spots", "result.tell.spots", "fact.x.y"):
        with pytest.raises(DeployRefused) as refused:
            put(town, told(wrong))
        assert any("gc:items" in found["message"] for found in refused.value.findings)


def test_a_parent_and_its_items_migrate_together_with_what_they_wait_for_and_come_back(town: Town) -> None:
    body = told("task.tell.spots")
    case_id = reported(town, [{"name": name} for name in "甲乙丙"], body)
    with town.app.db.connect() as connection:
        before = connection.execute(select(instance.c.id, instance.c.definition_id).where(instance.c.ended_at.is_(None))).all()
    put(town, body.replace('name="清点雨伞"', 'name="清点雨伞和架子"'))
    keeper, at = town.actor("keeper"), town.app.clock.now()
    id = begin_migration(town.app, actor=keeper, process="borrow_umbrella.round", at=at)
    town.app.jobs.run_due(town.app)
    assert {row["verdict"] for row in moved(town, id)} == {"fits"} and len(moved(town, id)) == 4
    start_migration(town.app, actor=keeper, migration_id=id, at=at)
    town.app.jobs.run_due(town.app)
    assert [row["state"] for row in moved(town, id)] == ["done"] * 4 and find_violations(town.app) == []
    answer(town, items(town)[0])
    undo_migration(town.app, actor=keeper, migration_id=id, at=at)
    town.app.jobs.run_due(town.app)
    states = {row["instance_id"]: row for row in moved(town, id)}
    assert [states[item["instance_id"]]["state"] for item in items(town)] == ["done", "undone", "undone"] and find_violations(town.app) == []
    for item in items(town)[1:]:
        answer(town, item)
    town.app.jobs.run_due(town.app)
    assert open_nodes(town, case_id) == ["sum_up"] and facts(town, case_id)["answers"] == ["甲", "乙", "丙"] and len(before) == 4
    assert find_violations(town.app) == []


def finish(town: Town, item: Any, node: str) -> Any:
    """Complete the open step of an item, which may have been opened again."""
    with town.app.db.connect() as connection:
        row = connection.execute(select(task.c.id).where(task.c.instance_id == item["instance_id"], task.c.node == node, task.c.status == "open")).one()
    return complete_task(town.app, actor=town.actor("head"), task_id=row.id, data={}, outcome="done", key=key(), at=town.app.clock.now())


def moved(town: Town, id: UUID) -> list[Any]:
    with town.app.db.connect() as connection:
        return list(connection.execute(select(migration_item).where(migration_item.c.migration_id == id)).mappings())


def test_a_version_without_the_activity_refuses_its_parent_and_items(town: Town) -> None:
    body = told("task.tell.spots")
    reported(town, [{"name": "甲"}], body)
    put(town, body.replace('id="check"', 'id="check_all"').replace('"check"', '"check_all"').replace("_to_check", "_to_check_all").replace('id="check_to', 'id="check_all_to'))
    id = begin_migration(town.app, actor=town.actor("keeper"), process="borrow_umbrella.round", at=town.app.clock.now())
    town.app.jobs.run_due(town.app)
    assert all(row["verdict"] != "fits" and row["reason"] for row in moved(town, id)) and len(moved(town, id)) == 2


def test_a_snapshot_of_an_item_comes_back_and_one_before_the_sending_out_does_not(town: Town) -> None:
    twice = '<bpmn:subProcess id="check" name="走访">' + many("task.tell.spots") + '<bpmn:startEvent id="s"/>' + check_task(id="look") + check_task(id="write") + flow("s", "look") + flow("look", "write") + "</bpmn:subProcess>"
    case_id = reported(town, [{"name": name} for name in "甲乙"], FACTS + START + TELL + twice + check_task(id="sum_up") + flow("start", "tell") + flow("tell", "check") + flow("check", "sum_up"))
    one = items(town)[0]
    done = answer(town, one)
    keeper = {"actor": town.actor("keeper"), "reason": "重来。", "at": town.app.clock.now()}
    restore_snapshot(town.app, instance_id=one["instance_id"], act_id=done.act_id, key="r1", **keeper)
    assert open_nodes(town, one["case_id"]) == ["look"] and find_violations(town.app) == []
    with town.app.db.connect() as connection:
        parent = connection.scalar(select(instance.c.id).where(instance.c.case_id == case_id))
        sent = connection.execute(select(act.c.id).where(act.c.instance_id == parent, act.c.kind == "complete")).scalar_one()
    with pytest.raises(Conflict, match="不能恢复"):
        restore_snapshot(town.app, instance_id=parent, act_id=sent, key="r2", **keeper)
    for item in items(town):
        for node in ("look", "write"):
            last = finish(town, item, node)
    with pytest.raises(Conflict):
        restore_snapshot(town.app, instance_id=items(town)[1]["instance_id"], act_id=last.act_id, key="r3", **keeper)
    town.app.jobs.run_due(town.app)
    with town.app.db.connect() as connection:
        assert connection.scalar(select(case_file.c.id).where(case_file.c.parent_id == case_id, case_file.c.closed_at.is_(None))) is None
        assert set(connection.scalars(select(fanout_item.c.status))) == {"done"}
    assert open_nodes(town, case_id) == ["sum_up"] and find_violations(town.app) == []
