"""会签 with real tasks: one task row a person, every vote on record, the count in the facts; and what a diagram doesn't allow is refused."""
from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from engine.access.scope import may_see_case
from engine.kernel.errors import DeployRefused, Forbidden, NotFound
from engine.reference import calendars
from engine.runtime.add_signer import add_signer
from engine.runtime.away import appoint_deputy
from engine.runtime.begin import load_machine
from engine.runtime.cc_case import cc_case
from engine.runtime.complete_task import complete_task
from engine.runtime.delegate_task import delegate_task
from engine.runtime.deploy_file import deploy_file
from engine.runtime.invariants import find_violations
from engine.runtime.queries import desk
from engine.runtime.queries.tally import tally_of
from engine.runtime.return_task import return_task
from engine.runtime.start_case import start_case
from engine.runtime.transfer_task import transfer_task
from engine.runtime.urge_task import urge_task
from engine.storage.tables.runtime import act, instance, task
from tests.engine.runtime.walk import key
from tests.town import Town

PANEL = ("chief", "section_head", "head")


def diagram(town: Town, allow: str) -> bytes:
    people = ", ".join(f'"{town.people[name]}"' for name in PANEL)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:gc="urn:guicheng:bpmn:1" id="d" targetNamespace="urn:guicheng:borrow_umbrella">
  <bpmn:process id="borrow_umbrella" name="集体讨论" isExecutable="true" {allow}>
    <bpmn:extensionElements><gc:fact name="outcome" type="text" title="结论"/><gc:fact name="place" type="text" title="去哪里"/></bpmn:extensionElements>
    <bpmn:startEvent id="start" name="开始"/>
    <bpmn:userTask id="ask" name="申请" gc:form="loan" gc:role="borrower"><bpmn:extensionElements><gc:field name="condition" right="hide"/>
      <gc:outcome value="submit" title="提交"/></bpmn:extensionElements></bpmn:userTask>
    <bpmn:userTask id="discuss" name="集体讨论" gc:form="loan"><bpmn:extensionElements><gc:fields default="read"/>
      <gc:countersign mode="ratio" people='=[{people}]'/><gc:outcome value="agree" title="同意"/>
      <gc:outcome value="disagree" title="不同意" opinion="required"/></bpmn:extensionElements></bpmn:userTask>
    <bpmn:userTask id="carry_out" name="执行" gc:form="loan" gc:role="borrower"><bpmn:extensionElements><gc:fields default="read"/>
      <gc:outcome value="done" title="办好"/></bpmn:extensionElements></bpmn:userTask>
    <bpmn:endEvent id="end" name="完"/>
    <bpmn:sequenceFlow id="a" sourceRef="start" targetRef="ask"/><bpmn:sequenceFlow id="b" sourceRef="ask" targetRef="discuss"/>
    <bpmn:sequenceFlow id="c" sourceRef="discuss" targetRef="carry_out"/><bpmn:sequenceFlow id="e" sourceRef="carry_out" targetRef="end"/>
  </bpmn:process></bpmn:definitions>""".encode()


def start(town: Town, allow: str = "") -> UUID:
    now = town.app.clock.now()
    deploy_file(town.app, actor=town.actor("keeper"), pack="borrow_umbrella", filename="borrow_umbrella.bpmn", content=diagram(town, allow), note="会签", at=now)
    return start_case(town.app, actor=town.actor("officer"), process="borrow_umbrella.borrow_umbrella", data={"place": "会议室", "days": 1}, outcome="submit", key=key(), at=now).case_id


def row_of(town: Town, who: str) -> Any:
    with town.app.db.connect() as connection:
        return connection.execute(select(task).where(task.c.assignee_id == town.people[who], task.c.status == "open")).mappings().one()


def vote(town: Town, who: str, outcome: str) -> Any:
    return complete_task(town.app, actor=town.actor(who), task_id=row_of(town, who)["id"], data={}, outcome=outcome, opinion=f"{outcome}。", key=key(), at=town.app.clock.now())


def statuses(town: Town) -> list[tuple[str, str]]:
    with town.app.db.connect() as connection:
        return sorted((row.node, row.status) for row in connection.execute(select(task.c.node, task.c.status)))


def test_a_majority_decides_and_the_rest_need_not_vote(town: Town) -> None:
    start(town)
    vote(town, "chief", "disagree")
    vote(town, "head", "agree")
    assert find_violations(town.app) == []
    vote(town, "section_head", "agree")
    assert statuses(town) == [("ask", "done"), ("carry_out", "open"), ("discuss", "done"), ("discuss", "done"), ("discuss", "done")]
    with town.app.db.connect() as connection:
        found = dict(connection.execute(select(instance)).mappings().one())
        facts = load_machine(town.app, found, town.app.clock.now()).facts()
        votes = connection.execute(select(act.c.actor_name, act.c.outcome_title, act.c.opinion).where(act.c.node == "discuss").order_by(act.c.rev_before)).all()
    assert (facts["agreed"], facts["votes_for"], facts["votes_against"], facts["votes_abstain"]) == (True, 2, 1, 0)
    assert [tuple(row) for row in votes] == [("沈砚秋", "不同意", "disagree。"), ("周启衡", "同意", "agree。"), ("叶知行", "同意", "agree。")]
    assert find_violations(town.app) == []


def test_two_agree_and_the_third_task_is_cancelled(town: Town) -> None:
    start(town)
    for who in ("chief", "head"):
        vote(town, who, "agree")
    assert statuses(town).count(("discuss", "cancelled")) == 1
    assert find_violations(town.app) == []


def test_a_return_out_of_a_vote_ends_all_of_it(town: Town) -> None:
    start(town)
    vote(town, "chief", "agree")
    return_task(town.app, actor=town.actor("head"), task_id=row_of(town, "head")["id"], to_node="ask", opinion="议题不清。", key=key(), at=town.app.clock.now())
    assert [one for one in statuses(town) if one[1] == "open"] == [("ask", "open")]
    assert find_violations(town.app) == []


def test_what_the_process_does_not_allow_is_refused(town: Town) -> None:
    case_id, now = start(town, 'gc:allow="cc"'), town.app.clock.now()
    row, chief = row_of(town, "chief"), town.actor("chief")
    other = town.people["staff"]
    with pytest.raises(Forbidden, match="不允许转办"):
        transfer_task(town.app, actor=chief, task_id=row["id"], to_person_id=other, reason="x", key=key(), at=now)
    with pytest.raises(Forbidden, match="不允许委派"):
        delegate_task(town.app, actor=chief, task_id=row["id"], to_person_id=other, key=key(), at=now)
    with pytest.raises(Forbidden, match="不允许加签"):
        add_signer(town.app, actor=chief, task_id=row["id"], when="before", people=[other], key=key(), at=now)
    with pytest.raises(Forbidden, match="不允许催办"):
        urge_task(town.app, actor=town.actor("officer"), task_id=row["id"], key=key(), at=now)
    cc_case(town.app, actor=chief, case_id=case_id, people=[other], key=key(), at=now)
    assert find_violations(town.app) == []


@pytest.mark.parametrize(("allow", "listed"), [("cc", []), ("cc deputy", ["集体讨论"])])
def test_a_deputy_has_on_the_desk_only_what_a_deputy_may_do(town: Town, allow: str, listed: list[str]) -> None:
    case_id, today = start(town, f'gc:allow="{allow}"'), town.app.clock.today()
    appoint_deputy(town.app, actor=town.actor("chief"), deputy_id=town.people["other_head"], from_on=today, until_on=today, processes=(), reason="出差",
                   key=key(), at=town.app.clock.now())
    deputy = town.actor("other_head")
    with town.app.db.connect() as connection:
        calendar, wanted = calendars.load(connection), desk.Filters()
        page = desk.waiting(connection, actor=deputy, today=today, soon_until=today, calendar=calendar, filters=wanted, due="all", total=0)
        counted = desk.inbox(connection, actor=deputy, today=today, soon_until=today, filters=wanted).figures.all
        assert ([row.step for row in page.rows], counted, may_see_case(connection, deputy, case_id)) == (listed, len(listed), bool(listed))
    if not listed:
        with pytest.raises(NotFound):
            complete_task(town.app, actor=deputy, task_id=row_of(town, "chief")["id"], data={}, outcome="agree", opinion="同意。", key=key(), at=town.app.clock.now())


def test_an_unknown_word_in_allow_is_a_finding(town: Town) -> None:
    with pytest.raises(DeployRefused) as refused:
        start(town, 'gc:allow="cc everything"')
    assert any("everything" in found["message"] for found in refused.value.findings)


def test_who_holds_a_role_is_found_when_the_step_is_reached(town: Town) -> None:
    now, people = town.app.clock.now(), ", ".join(f'"{town.people[name]}"' for name in PANEL)
    content = diagram(town, "").decode().replace(f"people='=[{people}]'", 'role="borrower"').encode()
    deploy_file(town.app, actor=town.actor("keeper"), pack="borrow_umbrella", filename="borrow_umbrella.bpmn", content=content, note="会签", at=now)
    start_case(town.app, actor=town.actor("officer"), process="borrow_umbrella.borrow_umbrella", data={"place": "会议室", "days": 1}, outcome="submit", key=key(), at=now)
    with town.app.db.connect() as connection:
        asked = set(connection.scalars(select(task.c.assignee_id).where(task.c.node == "discuss", task.c.status == "open")))
    assert asked == {town.people["officer"], town.people["officer_two"]}
    for who in ("officer", "officer_two"):
        vote(town, who, "agree")
    assert ("carry_out", "open") in statuses(town) and find_violations(town.app) == []


@pytest.mark.parametrize("rule", ['mode="all"', "mode=\"all\" role=\"borrower\" people='=[]'", 'mode="weighted" role="borrower"'])
def test_a_countersign_says_in_one_way_who_votes(town: Town, rule: str) -> None:
    people = ", ".join(f'"{town.people[name]}"' for name in PANEL)
    content = diagram(town, "").decode().replace(f"mode=\"ratio\" people='=[{people}]'", rule).encode()
    with pytest.raises(DeployRefused) as refused:
        deploy_file(town.app, actor=town.actor("keeper"), pack="borrow_umbrella", filename="borrow_umbrella.bpmn", content=content, note="会签", at=town.app.clock.now())
    assert any(one["rule"] == "countersign" for one in refused.value.findings)


def test_the_tally_names_votes_and_who_is_out(town: Town) -> None:
    start(town)
    vote(town, "chief", "disagree")
    row = dict(row_of(town, "head"))
    with town.app.db.connect() as connection:
        found = dict(connection.execute(select(instance)).mappings().one())
        tally = tally_of(town.app, connection, instance=found, task=row, at=town.app.clock.now())
        assert tally_of(town.app, connection, instance=found, task={**row, "node": "ask"}, at=town.app.clock.now()) is None
    assert tally is not None and [(one.person, one.word, one.asked) for one in tally.votes] == [("沈砚秋", "不同意", False), ("叶知行", "", True), ("周启衡", "", True)]
    assert tally.counts == (("不同意", 1),) and tally.out == ("叶知行", "周启衡")
