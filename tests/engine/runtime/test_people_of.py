"""``people_of("role")`` in FEEL: who gets a step, whom a step is repeated for, which way a case goes."""
from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from engine.kernel.errors import DeployRefused
from engine.runtime.complete_task import complete_task
from engine.runtime.invariants import find_violations
from engine.runtime.start_case import start_case
from engine.storage.tables.runtime import task
from tests.engine.runtime.pack import check_task, declare, deploy, drawn, flow
from tests.engine.runtime.walk import key, open_nodes
from tests.town import Town

START = '<bpmn:startEvent id="start"/>'
FACTS = '<bpmn:extensionElements><gc:fact name="votes" type="list"/></bpmn:extensionElements>'
MANY = '<bpmn:multiInstanceLoopCharacteristics gc:collection="=people_of(&quot;borrower&quot;)" gc:item="who" gc:results="votes"/>'


def begin(town: Town, body: str) -> UUID:
    declare(town, "round")
    deploy(town, "round.bpmn", drawn("round", FACTS + START + body))
    return start_case(town.app, actor=town.actor("head"), process="borrow_umbrella.round", key=key(), at=town.app.clock.now()).case_id


def holders(town: Town, case_id: UUID, node: str) -> set[Any]:
    with town.app.db.connect() as connection:
        return set(connection.scalars(select(task.c.assignee_id).where(task.c.case_id == case_id, task.c.node == node, task.c.status == "open")))


def finish(town: Town, who: str, case_id: UUID) -> None:
    with town.app.db.connect() as connection:
        row = connection.execute(select(task.c.id).where(task.c.case_id == case_id, task.c.assignee_id == town.people[who], task.c.status == "open")).one()
    complete_task(town.app, actor=town.actor(who), task_id=row.id, data={}, outcome="done", key=key(), at=town.app.clock.now())


def test_an_assignment_a_repetition_and_a_condition_read_who_holds_a_role(town: Town) -> None:
    first = check_task(id="first").replace('gc:role="keeper"', 'gc:assignee="=people_of(&quot;borrower&quot;)[1]" gc:role="borrower"')
    each = check_task(id="each", inside=MANY).replace('gc:role="keeper"', 'gc:assignee="=who" gc:role="borrower"')
    gate = (
        '<bpmn:exclusiveGateway id="g" default="g_to_few"/><bpmn:sequenceFlow id="g_to_each" sourceRef="g" targetRef="each"><bpmn:conditionExpression>'
        'count(people_of("borrower", unit_id)) &gt;= 2 and count(people_of("borrow_umbrella.nobody")) = 0</bpmn:conditionExpression></bpmn:sequenceFlow>' + flow("g", "few")
    )
    case_id = begin(town, first + each + gate + check_task(id="few") + check_task(id="last") + flow("start", "first") + flow("first", "g") + flow("each", "last"))
    pair = {town.people["officer"], town.people["officer_two"]}
    (one,) = holders(town, case_id, "first")
    assert one in pair
    finish(town, "officer" if one == town.people["officer"] else "officer_two", case_id)
    assert holders(town, case_id, "each") == pair and find_violations(town.app) == []
    for who in ("officer", "officer_two"):
        finish(town, who, case_id)
    assert open_nodes(town, case_id) == ["last"] and find_violations(town.app) == []


@pytest.mark.parametrize("wrong", ["=people_of()", "=people_of(&quot;borrower&quot;", "=people_of(&quot;a&quot;, &quot;b&quot;, &quot;c&quot;)[1]"])
def test_a_call_that_cannot_be_read_is_refused(town: Town, wrong: str) -> None:
    declare(town, "round")
    with pytest.raises(DeployRefused) as refused:
        deploy(town, "round.bpmn", drawn("round", FACTS + START + check_task().replace('gc:role="keeper"', f'gc:assignee="{wrong}" gc:role="keeper"') + flow("start", "check")))
    assert any(found["element"] == "check" for found in refused.value.findings)
