"""Migrations and the operations desk over the API: rights, one result per case, the same request twice, and what is refused."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from engine.runtime.invariants import find_violations
from engine.storage.tables.runtime import act, incident, instance, task
from tests.engine.runtime.pack import check_task, declare, deploy, drawn, flow
from tests.engine.web.api.caller import Caller
from tests.town import Town

Callers = Callable[[str], Caller]
START = '<bpmn:startEvent id="start"/>'
FACTS = '<bpmn:extensionElements><gc:fact name="place" type="text" title="地点"/><gc:fact name="amount" type="number" title="数量"/></bpmn:extensionElements>'
GATE = (
    '<bpmn:exclusiveGateway id="g" default="g_to_end"/><bpmn:endEvent id="end"/><bpmn:sequenceFlow id="g_to_end" sourceRef="g" targetRef="end"/>'
    '<bpmn:sequenceFlow id="g_to_more" sourceRef="g" targetRef="more"><bpmn:conditionExpression>amount &gt; 3</bpmn:conditionExpression></bpmn:sequenceFlow>'
)
BODY = FACTS + START + check_task() + check_task(id="more") + GATE + flow("start", "check") + flow("check", "g")


@pytest.fixture
def case(town: Town, caller: Callers) -> dict[str, Any]:
    declare(town, "round")
    deploy(town, "round.bpmn", drawn("round", BODY))
    made: dict[str, Any] = caller("head").act("/cases", {"process": "borrow_umbrella.round", "data": {}}, status=201)
    return made


def test_a_migration_from_the_dry_run_to_taking_it_back(town: Town, caller: Callers, case: dict[str, Any]) -> None:
    keeper = caller("keeper")
    assert caller("officer").act("/migrations", {"process": "borrow_umbrella.round"}, status=403)["code"] == "forbidden"
    assert keeper.act("/migrations", {"process": "borrow_umbrella.round"}, status=409)["code"] == "conflict"
    assert keeper.act("/migrations", {"process": "no.such"}, status=404)["code"] == "not_found"
    deploy(town, "round.bpmn", drawn("round", BODY.replace('"check"', '"look"').replace('"start_to_check"', '"start_to_look"')))
    first = keeper.act("/migrations", {"process": "borrow_umbrella.round", "reason": "改名"}, key="migrate-0001", status=202)
    assert keeper.act("/migrations", {"process": "borrow_umbrella.round", "reason": "改名"}, key="migrate-0001", status=202)["id"] == first["id"]
    path = f"/migrations/{first['id']}"
    assert keeper.act(f"{path}/start", status=409)["code"] == "conflict"  # the dry run isn't through
    town.app.jobs.run_due(town.app)
    told = keeper.get(path)
    assert (told["status"], told["total"], told["counts"][0]["verdict"]) == ("checked", 1, "mapping") and told["needs"][0]["choices"]
    need = told["needs"][0]
    keeper.act(f"{path}/check", {"mapping": {need["key"]: "look"}}, status=202)
    town.app.jobs.run_due(town.app)
    (item,) = keeper.get(f"{path}/items", verdict="fits")["items"]
    assert item["instance_id"] == case["instance_id"]
    for _ in range(2):
        assert keeper.act(f"{path}/start", status=202)["status"] in ("running", "done")
    town.app.jobs.run_due(town.app)
    assert keeper.get(path)["counts"][0]["state"] == "done" and find_violations(town.app) == []
    assert keeper.act(f"{path}/items/{case['instance_id']}/undo")["counts"][0]["state"] == "undone"
    assert keeper.act(f"{path}/cancel", status=409)["code"] == "conflict"
    for method, address in (("GET", path), ("GET", f"{path}/items"), ("POST", f"{path}/undo")):
        assert caller("officer").send(method, address, key="not-mine-1").status_code == 403
    assert keeper.get(f"/migrations/{uuid4()}", 404)["code"] == "not_found" and find_violations(town.app) == []


def test_the_desk_suspends_repairs_restores_and_ends_once_each_with_a_reason(town: Town, caller: Callers, case: dict[str, Any]) -> None:
    keeper, path = caller("keeper"), f"/instances/{case['instance_id']}"
    told = keeper.get(path)
    assert (told["status"], told["places"], [fact["title"] for fact in told["facts"]]) == ("running", ["check"], ["地点", "数量"])
    for method, more in (("GET", ""), ("POST", "/suspend"), ("POST", "/terminate")):
        answer = caller("head").send(method, path + more, key="not-mine-2", **({"json": {"reason": "试"}} if more else {}))
        assert (answer.status_code, answer.get_json()["code"]) == (403, "forbidden")
    assert keeper.act(f"{path}/suspend", {"reason": " "}, status=422)["fields"]["reason"]
    one = keeper.act(f"{path}/suspend", {"reason": "等通知"}, key="suspend-1")
    assert keeper.act(f"{path}/suspend", {"reason": "等通知"}, key="suspend-1")["act_id"] == one["act_id"]
    (step,) = caller("head").get(f"/cases/{case['case_id']}")["tasks"]
    refused = caller("head").act(f"/tasks/{step['id']}/complete", {"outcome": "done"}, status=409)
    assert refused["code"] == "suspended" and "暂停" in refused["detail"]
    keeper.act(f"{path}/resume", {"reason": "到了"})
    fact = told["facts"][1]["key"]
    assert keeper.act(f"{path}/repair", {"facts": {fact: "不是数"}, "reason": "改"}, status=422)["code"] == "invalid"
    keeper.act(f"{path}/repair", {"facts": {fact: "5"}, "reason": "漏填"})
    caller("head").act(f"/tasks/{step['id']}/complete", {"outcome": "done"})
    told = keeper.get(path)
    assert told["places"] == ["more"]
    shot = told["snapshots"][0]["id"]
    assert keeper.get(f"{path}/snapshots/{shot}")["reopened"] == ["清点雨伞"]
    keeper.act(f"{path}/restore", {"act_id": shot, "reason": "办错了"})
    assert keeper.get(path)["places"] == ["check"] and find_violations(town.app) == []
    keeper.act(f"{path}/terminate", {"reason": "重复"})
    assert "不能暂停" in keeper.act(f"{path}/suspend", {"reason": "再试"}, status=409)["detail"]
    assert keeper.act(f"/instances/{uuid4()}/suspend", {"reason": "试"}, status=404)["code"] == "not_found"
    assert find_violations(town.app) == []


def test_a_step_reached_again_opens_filled_or_empty_as_it_is_drawn(town: Town, caller: Callers) -> None:
    write = '<gc:field name="place" right="write"/><gc:field name="days" right="write"/>'
    for name, fresh, second in (("filled_round", "", "徐家汇"), ("empty_round", ' gc:fresh="true"', None)):
        one = check_task().replace('gc:form="loan"', f'gc:form="loan"{fresh}').replace('<gc:fields default="read"/>', f'<gc:fields default="hide"/>{write}')
        loop = '<bpmn:exclusiveGateway id="m"/>' + flow("start", "m") + flow("m", "check") + '<bpmn:sequenceFlow id="again" sourceRef="check" targetRef="more"/>'
        declare(town, "filled_round", "empty_round")
        deploy(town, f"{name}.bpmn", drawn(name, FACTS + START + loop + one + check_task(id="more") + GATE.replace("g_to_more", "g_to_m").replace('targetRef="more"', 'targetRef="m"').replace("amount &gt; 3", "true") + flow("more", "g")))
        head = caller("head")
        made = head.act("/cases", {"process": f"borrow_umbrella.{name}", "data": {}}, status=201)
        seen = []
        for _ in range(2):
            (step,) = head.get(f"/cases/{made['case_id']}")["tasks"]
            seen.append(head.get(f"/tasks/{step['id']}")["data"].get("place"))
            head.act(f"/tasks/{step['id']}/complete", {"outcome": "done", "data": {"place": "徐家汇", "days": 2}})
            (step,) = head.get(f"/cases/{made['case_id']}")["tasks"]
            if not _:
                head.act(f"/tasks/{step['id']}/return", {"to_node": "check", "opinion": "再看。"})
                (step,) = head.get(f"/cases/{made['case_id']}")["tasks"]
                assert head.get(f"/tasks/{step['id']}")["data"]["place"] == "徐家汇"  # a redo brings back what was typed
                head.act(f"/tasks/{step['id']}/complete", {"outcome": "done", "data": {"place": "徐家汇", "days": 2}})
                (step,) = head.get(f"/cases/{made['case_id']}")["tasks"]
            head.act(f"/tasks/{step['id']}/complete", {"outcome": "done"})
        assert seen == [None, second], name


def test_incidents_stuck_cases_and_jobs(town: Town, caller: Callers) -> None:
    keeper = caller("keeper")
    wait = (
        '<bpmn:boundaryEvent id="late" attachedToRef="check" cancelActivity="false"><bpmn:timerEventDefinition><bpmn:timeDuration>PT1M</bpmn:timeDuration></bpmn:timerEventDefinition>'
        "</bpmn:boundaryEvent>" + GATE.replace('default="g_to_end"', "").replace('<bpmn:sequenceFlow id="g_to_end" sourceRef="g" targetRef="end"/>', flow("more", "end"))
    )
    declare(town, "late_round")
    deploy(town, "late_round.bpmn", drawn("late_round", FACTS + START + check_task() + check_task(id="more") + wait + flow("start", "check") + flow("late", "g")))
    made = caller("head").act("/cases", {"process": "borrow_umbrella.late_round", "data": {}}, status=201)
    from datetime import timedelta

    from engine.runtime.fire_due_timers import fire_due_timers

    town.app.clock.advance(timedelta(hours=1))
    fire_due_timers(town.app, town.app.clock.now())
    (row,) = keeper.get("/incidents")["items"]
    assert (row["kind"], row["instance_id"]) == ("expression", made["instance_id"]) and "没有结果" in row["message"]
    assert caller("officer").get("/incidents", 403)["code"] == "forbidden"
    assert keeper.act(f"/incidents/{row['id']}/skip", {"reason": ""}, status=422)["fields"]["reason"]
    keeper.act(f"/incidents/{row['id']}/retry", {"reason": "再试"}, key="retry-001")
    assert keeper.act(f"/incidents/{row['id']}/retry", {"reason": "再试"}, key="retry-001")["replayed"]
    with town.app.db.connect() as connection:
        assert connection.scalars(select(incident.c.status).order_by(incident.c.opened_at, incident.c.id)).all() == ["retried", "open"]
        assert connection.scalar(select(act.c.kind).where(act.c.key.like("%retry-001"))) == "retry"
        connection.rollback()
    reasons = {one["key"]: one["items"] for one in keeper.get("/stuck", days=1)["items"]}
    assert {"nothing", "nobody", "untouched", "suspended", "effect", "timer", "child", "message"} <= set(reasons)
    assert caller("officer").get("/stuck", 403)["code"] == "forbidden" and caller("officer").get("/jobs", 403)["code"] == "forbidden"
    assert set(keeper.get("/jobs", tab="queued")["counts"]) == {"queued", "scheduled", "running", "failed"}
    assert keeper.act("/jobs/987654321/cancel", status=409)["code"] == "conflict"
    assert caller("officer").act("/jobs/1/retry", status=403)["code"] == "forbidden"
    with town.app.db.connect() as connection:
        assert connection.scalar(select(task.c.status).where(task.c.node == "check")) == "open" and connection.scalar(select(instance.c.status)) in ("running", "incident")
