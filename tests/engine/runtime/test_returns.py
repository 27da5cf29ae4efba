"""退回: what it undoes is told before, and after the redo the case walks every step again or comes straight back."""
from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from engine.kernel.errors import DeployRefused, Invalid
from engine.runtime.complete_task import complete_task
from engine.runtime.deploy_file import deploy_file
from engine.runtime.invariants import find_violations
from engine.runtime.preview_next import preview_next
from engine.runtime.return_task import return_targets, return_task
from engine.runtime.start_case import start_case
from engine.runtime.withdraw_act import withdraw_act
from engine.runtime.work import ActResult
from engine.storage.tables.documents import document
from engine.storage.tables.runtime import act, submission, task
from tests.engine.runtime.walk import HANDLING, application, do, key, open_nodes, open_task, start_clue
from tests.town import Town

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:gc="urn:guicheng:bpmn:1" id="drawing" targetNamespace="urn:guicheng:borrow_umbrella">
  <bpmn:process id="{name}" name="退回试验" isExecutable="true" {attributes}><bpmn:extensionElements>
    <gc:fact name="outcome" type="text" title="结论"/><gc:fact name="place" type="text" title="去哪里"/></bpmn:extensionElements>
    <bpmn:startEvent id="start"/><bpmn:endEvent id="end"/>"""


def step(id: str, attributes: str = "") -> str:
    return (f'<bpmn:userTask id="{id}" name="{id}" gc:form="loan" gc:role="borrower" {attributes}><bpmn:extensionElements>'
            f'<gc:field name="condition" right="hide"/><gc:outcome value="ok" title="提交"/></bpmn:extensionElements></bpmn:userTask>')


def diagram(nodes: Sequence[str], flows: str, *, attributes: str = "", name: str = "borrow_umbrella") -> bytes:
    """``flows``: ``a>b a>c[condition]``; every name in ``nodes`` is an element or a step's id."""
    drawn = [node if node.startswith("<") else step(node) for node in nodes]
    for number, flow in enumerate(flows.split()):
        way, _, condition = flow.partition("[")
        source, target = way.split(">")
        inside = f"<bpmn:conditionExpression>{condition.rstrip(']')}</bpmn:conditionExpression>" if condition else ""
        drawn.append(f'<bpmn:sequenceFlow id="f{number}" sourceRef="{source}" targetRef="{target}">{inside}</bpmn:sequenceFlow>')
    return (HEAD.format(attributes=attributes, name=name) + "".join(drawn) + "</bpmn:process></bpmn:definitions>").encode()


def begin(town: Town, content: bytes, *more: tuple[str, bytes]) -> UUID:
    now = town.app.clock.now()
    for filename, drawn in (*more, ("borrow_umbrella.bpmn", content)):
        deploy_file(town.app, actor=town.actor("keeper"), pack="borrow_umbrella", filename=filename, content=drawn, note="试", at=now)
    return start_case(town.app, actor=town.actor("officer"), process="borrow_umbrella.borrow_umbrella", data={"place": "东", "days": 1}, outcome="ok", key=key(), at=now).case_id


def finish(town: Town, node: str, place: str = "东") -> ActResult:
    row = open_task(town, node)
    return complete_task(town.app, actor=town.actor("officer"), task_id=row["id"], data={"place": place, "days": 1}, outcome="ok", key=key(), at=town.app.clock.now())


def give_back(town: Town, node: str, to: str, then: str | None = "straight", who: str = "officer") -> ActResult:
    row = open_task(town, node)
    result = return_task(town.app, actor=town.actor(who), task_id=row["id"], to_node=to, opinion="请补正。", key=key(), at=town.app.clock.now(), then=then)
    assert find_violations(town.app) == []
    return result


def told(town: Town, act_id: UUID) -> str:
    with town.app.db.connect() as connection:
        return str(connection.scalar(select(act.c.outcome_title).where(act.c.id == act_id)))


def opened(town: Town, case_id: UUID) -> list[str]:
    assert find_violations(town.app) == []
    return open_nodes(town, case_id)


LINE = diagram(["a", "b", "c", "d"], "start>a a>b b>c c>d d>end")


def test_straight_back_passes_over_what_was_done_and_says_so(town: Town) -> None:
    case_id = begin(town, LINE)
    finish(town, "b", "西")
    finish(town, "c")
    give_back(town, "d", "a")
    row = open_task(town, "a")
    assert row["straight_to"] == town.actor("officer").name and row["returned"]
    ahead = preview_next(town.app, actor=town.actor("officer"), task_id=row["id"], outcome="ok", at=town.app.clock.now())
    assert [brief.title for brief in ahead] == ["d"]

    redone = finish(town, "a")
    assert opened(town, case_id) == ["d"]
    assert told(town, redone.act_id) == f"提交（b、c办过了，不重办，直接送回{town.actor('officer').name}）"

    finish(town, "d")
    assert opened(town, case_id) == []


def test_every_step_again_is_the_default(town: Town) -> None:
    case_id = begin(town, LINE)
    finish(town, "b")
    give_back(town, "c", "a", then=None)
    assert open_task(town, "a")["straight_to"] == ""
    finish(town, "a")
    assert opened(town, case_id) == ["b"]


def test_what_was_passed_over_counts_as_done_after_the_redo(town: Town) -> None:
    """A second return finds the same steps in the same order, and leaves the answers that came before its target alone."""
    case_id = begin(town, LINE)
    finish(town, "b")
    give_back(town, "c", "a")
    finish(town, "a", "北")
    targets = return_targets(town.app, actor=town.actor("officer"), task_id=open_task(town, "c")["id"])
    assert [(target.node, target.undoes) for target in targets] == [("b", ("b",)), ("a", ("b", "a"))]

    give_back(town, "c", "a")
    finish(town, "a")
    assert opened(town, case_id) == ["c"]

    give_back(town, "c", "b", then="again")
    with town.app.db.connect() as connection:
        valid = sorted(connection.scalars(select(submission.c.node).where(submission.c.case_id == case_id, submission.c.superseded.is_(False))))
    assert valid == ["a"]
    finish(town, "b")
    assert opened(town, case_id) == ["c"]


def test_a_redo_within_a_redo_comes_back_to_both(town: Town) -> None:
    case_id = begin(town, LINE)
    finish(town, "b")
    finish(town, "c")
    give_back(town, "d", "c")
    give_back(town, "c", "a")
    finish(town, "a")
    assert opened(town, case_id) == ["c"] and open_task(town, "c")["straight_to"]
    finish(town, "c")
    assert opened(town, case_id) == ["d"]


def test_a_further_return_step_by_step_ends_the_shortcut(town: Town) -> None:
    case_id = begin(town, LINE)
    finish(town, "b")
    finish(town, "c")
    give_back(town, "d", "c")
    give_back(town, "c", "a", then="again")
    finish(town, "a")
    assert opened(town, case_id) == ["b"]
    finish(town, "b")
    finish(town, "c")
    assert opened(town, case_id) == ["d"]


def test_new_answers_that_lead_elsewhere_are_followed(town: Town) -> None:
    case_id = begin(town, diagram(
        ["a", '<bpmn:exclusiveGateway id="way" default="f3"/>', "b", "extra", "c"], 'start>a a>way way>extra[place="西"] way>b extra>b b>c c>end'))
    finish(town, "b")
    give_back(town, "c", "a")
    finish(town, "a", "西")
    assert opened(town, case_id) == ["extra"]
    done = finish(town, "extra", "西")
    assert opened(town, case_id) == ["c"] and "b办过了" in told(town, done.act_id)


SPLIT = diagram(
    ["a", '<bpmn:parallelGateway id="fork"/>', "l1", "l2", "r1", "r2", '<bpmn:parallelGateway id="join"/>', "z"],
    "start>a a>fork fork>l1 l1>l2 l2>join fork>r1 r1>r2 r2>join join>z z>end")


def test_before_a_split_every_branch_stands_again_where_it_stood(town: Town) -> None:
    case_id = begin(town, SPLIT)
    finish(town, "l1")
    finish(town, "r1")
    give_back(town, "l2", "a")
    assert opened(town, case_id) == ["a"]
    finish(town, "a")
    assert opened(town, case_id) == ["l2", "r2"]
    finish(town, "l2")
    finish(town, "r2")
    assert opened(town, case_id) == ["z"]
    give_back(town, "z", "a")
    finish(town, "a")
    assert opened(town, case_id) == ["z"]


def test_within_a_branch_the_others_are_not_touched(town: Town) -> None:
    case_id = begin(town, SPLIT)
    finish(town, "l1")
    finish(town, "r1")
    give_back(town, "l2", "l1")
    assert opened(town, case_id) == ["l1", "r2"]
    finish(town, "r2")
    finish(town, "l1")
    assert opened(town, case_id) == ["l2"]


def test_answers_given_in_a_called_process_are_given_again(town: Town) -> None:
    inner = diagram(["i1"], "start>i1 i1>end", name="inner").replace(
        b"</bpmn:extensionElements>\n    <bpmn:startEvent", b'<gc:result name="place" type="text" title="\xe5\x8e\xbb"/></bpmn:extensionElements>\n    <bpmn:startEvent')
    call = ('<bpmn:callActivity id="call" calledElement="inner"><bpmn:extensionElements><gc:output name="place" fact="place"/></bpmn:extensionElements></bpmn:callActivity>')
    case_id = begin(town, diagram(
        ["a", call, '<bpmn:exclusiveGateway id="way" default="f4"/>', "east", "west"], 'start>a a>call call>way way>west[place="西"] way>east west>end east>end'), ("inner.bpmn", inner))
    finish(town, "i1", "西")
    assert opened(town, case_id) == ["west"]
    give_back(town, "west", "a")
    finish(town, "a")
    assert opened(town, case_id) == ["west"]


def test_a_countersign_is_asked_anew(town: Town) -> None:
    people = ", ".join(f'"{town.people[name]}"' for name in ("chief", "officer"))
    vote = ('<bpmn:userTask id="vote" name="会签" gc:form="loan"><bpmn:extensionElements><gc:fields default="read"/>'
            f"<gc:countersign mode=\"all\" people='=[{people}]'/><gc:outcome value=\"agree\" title=\"同意\"/></bpmn:extensionElements></bpmn:userTask>")
    case_id = begin(town, diagram(["a", vote, "z"], "start>a a>vote vote>z z>end"))
    for who in ("chief", "officer"):
        with town.app.db.connect() as connection:
            row = connection.execute(select(task).where(task.c.status == "open", task.c.assignee_id == town.people[who])).mappings().one()
        complete_task(town.app, actor=town.actor(who), task_id=row["id"], data={}, outcome="agree", key=key(), at=town.app.clock.now())
    give_back(town, "z", "a")
    finish(town, "a")
    assert opened(town, case_id) == ["vote", "vote"]


@pytest.mark.parametrize(("declared", "then", "after"), [("again", None, ["b"]), ("straight", None, ["c"]), ("choose", "straight", ["c"])])
def test_the_process_says_which_way_it_goes(town: Town, declared: str, then: str | None, after: list[str]) -> None:
    case_id = begin(town, diagram(["a", "b", "c"], "start>a a>b b>c c>end", attributes=f'gc:redo="{declared}"'))
    finish(town, "b")
    give_back(town, "c", "a", then=then)
    finish(town, "a")
    assert opened(town, case_id) == after


def test_a_way_that_the_process_forbids_is_refused_and_changes_nothing(town: Town) -> None:
    case_id = begin(town, diagram(["a", "b", step("c", 'gc:redo="again"')], "start>a a>b b>c c>end"))
    finish(town, "b")
    for then, words in (("straight", "规定退回以后每一步重走"), ("somewhere", "请选退回以后怎么走")):
        with pytest.raises(Invalid, match=words) as refused:
            give_back(town, "c", "a", then=then)
        assert "then" in refused.value.fields
    assert opened(town, case_id) == ["c"]


def test_a_diagram_with_an_unknown_way_is_refused(town: Town) -> None:
    with pytest.raises(DeployRefused) as refused:
        begin(town, diagram(["a"], "start>a a>end", attributes='gc:redo="never"'))
    assert any("gc:redo" in one["message"] for one in refused.value.findings)


def test_taking_the_redo_back_keeps_the_way(town: Town) -> None:
    case_id = begin(town, LINE)
    finish(town, "b")
    give_back(town, "c", "a")
    redone = finish(town, "a")
    withdraw_act(town.app, actor=town.actor("officer"), act_id=redone.act_id, key=key(), at=town.app.clock.now())
    assert opened(town, case_id) == ["a"]
    finish(town, "a")
    assert opened(town, case_id) == ["c"]


def test_the_list_of_targets_says_what_becomes_of_the_documents(town: Town) -> None:
    start_clue(town)
    do(town, "officer", "verify", "file", data=HANDLING)
    do(town, "officer", "draft", "submit", data=application(town))
    town.app.clock.advance(timedelta(minutes=1))
    do(town, "head", "office_review", opinion="同意。")
    with town.app.db.connect() as connection:
        made = connection.scalar(select(document.c.title))
    targets = return_targets(town.app, actor=town.actor("staff"), task_id=open_task(town, "section_review")["id"])
    assert [(t.node, t.voids) for t in targets] == [("office_review", ()), ("draft", (made,))]

    give_back(town, "section_review", "draft", who="staff")
    do(town, "officer", "draft", "submit", data=application(town))
    with town.app.db.connect() as connection:
        states = sorted(connection.scalars(select(document.c.state)))
    assert states == ["draft", "void"] and open_task(town, "section_review")["assignee_id"] == town.people["staff"]
