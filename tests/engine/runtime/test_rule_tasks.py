"""A decision inside a case: its result leads on; rules that contradict each other or an input that nobody gives are told and change nothing."""
from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from engine.kernel.errors import GuichengError
from engine.runtime.complete_task import complete_task
from engine.runtime.fire_due_timers import fire_due_timers
from engine.runtime.invariants import find_violations
from engine.runtime.start_case import start_case
from engine.storage.tables.runtime import act, incident
from tests.engine.runtime.pack import check_task, declare, deploy, drawn, flow
from tests.engine.runtime.walk import key, open_nodes, open_task
from tests.town import Town

START = '<bpmn:startEvent id="start"/>'
FACTS = '<bpmn:extensionElements><gc:fact name="place" type="text"/><gc:fact name="level" type="number"/></bpmn:extensionElements>'
RULE = (
    '<bpmn:businessRuleTask id="grade" name="定级" gc:decision="level"><bpmn:extensionElements>{inputs}<gc:output name="result" fact="level"/></bpmn:extensionElements></bpmn:businessRuleTask>'
    '<bpmn:exclusiveGateway id="g" default="g_to_low"/>' + flow("grade", "g")
    + '<bpmn:sequenceFlow id="g_to_high" sourceRef="g" targetRef="high"><bpmn:conditionExpression>level &gt; 1</bpmn:conditionExpression></bpmn:sequenceFlow>' + flow("g", "low")
)
ROWS = "".join(f'<rule id="r{number}"><inputEntry><text>{entry}</text></inputEntry><outputEntry><text>{number}</text></outputEntry></rule>'
               for number, entry in ((1, '"徐汇"'), (2, 'starts with(?, "静")'), (3, '"静安"')))
TABLE = (
    '<?xml version="1.0" encoding="UTF-8"?><definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" id="d" name="level" namespace="urn:level"><inputData id="i" name="place"><variable name="place"/></inputData>'
    '<decision id="level" name="level"><variable name="level"/><informationRequirement id="n"><requiredInput href="#i"/></informationRequirement><decisionTable hitPolicy="UNIQUE">'
    f'<input id="c" label="地点"><inputExpression><text>place</text></inputExpression></input><output id="o"/>{ROWS}</decisionTable></decision></definitions>'
)


def begin(town: Town, inputs: str = '<gc:input name="place" value="=place"/>') -> UUID:
    deploy(town, "level.dmn", TABLE.encode())
    declare(town, "round")
    first = check_task(id="first").replace('<gc:fields default="read"/>', '<gc:fields default="hide"/><gc:field name="place" right="write"/><gc:field name="days" right="write"/>')
    deploy(town, "round.bpmn", drawn("round", FACTS + START + first + RULE.format(inputs=inputs) + check_task(id="high") + check_task(id="low") + flow("start", "first") + flow("first", "grade")))
    return start_case(town.app, actor=town.actor("head"), process="borrow_umbrella.round", key=key(), at=town.app.clock.now()).case_id


def tell(town: Town, place: str) -> Any:
    row = open_task(town, "first")
    return complete_task(town.app, actor=town.actor("head"), task_id=row["id"], data={"place": place, "days": 1}, outcome="done", key=key(), at=town.app.clock.now())


def state(town: Town) -> Any:
    with town.app.db.connect() as connection:
        return connection.execute(select(func.count(act.c.id), select(func.count()).select_from(incident).scalar_subquery())).one()


def test_rules_that_overlap_are_told_and_nothing_changes_until_the_answer_fits_one(town: Town) -> None:
    case_id = begin(town)
    before = state(town)
    with pytest.raises(GuichengError) as refused:
        tell(town, "静安")
    assert "第 2、3 条规则同时命中" in refused.value.message
    assert state(town) == before and open_nodes(town, case_id) == ["first"] and find_violations(town.app) == []
    tell(town, "静静")
    assert open_nodes(town, case_id) == ["high"] and find_violations(town.app) == []


def test_without_an_officer_it_is_an_incident_at_the_step(town: Town) -> None:
    deploy(town, "level.dmn", TABLE.encode())
    declare(town, "round")
    beside = '<bpmn:boundaryEvent id="late" attachedToRef="first" cancelActivity="false"><bpmn:timerEventDefinition><bpmn:timeDuration>PT1M</bpmn:timeDuration></bpmn:timerEventDefinition></bpmn:boundaryEvent>'
    rule = RULE.format(inputs='<gc:input name="place" value="=&quot;静安&quot;"/>')
    deploy(town, "round.bpmn", drawn("round", FACTS + START + check_task(id="first") + beside + rule + check_task(id="high") + check_task(id="low") + flow("start", "first") + flow("late", "grade")))
    case_id = start_case(town.app, actor=town.actor("head"), process="borrow_umbrella.round", key=key(), at=town.app.clock.now()).case_id
    town.app.clock.advance(timedelta(hours=1))
    assert fire_due_timers(town.app, town.app.clock.now()) == 1
    with town.app.db.connect() as connection:
        row = connection.execute(select(incident.c.node, incident.c.message)).one()
    assert row.node == "grade" and "第 2、3 条规则同时命中" in row.message and open_nodes(town, case_id) == ["first"] and find_violations(town.app) == []


def test_an_input_that_nobody_gives_is_named(town: Town) -> None:
    case_id = begin(town, '<gc:input name="somewhere" value="=place"/>')
    before = state(town)
    with pytest.raises(GuichengError, match="缺少输入“place”"):
        tell(town, "徐汇")
    assert state(town) == before and open_nodes(town, case_id) == ["first"] and find_violations(town.app) == []
