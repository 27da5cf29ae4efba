"""Deputies while somebody is away, and the hand-over of everything a leaver holds: both names on record."""
from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from engine.access import audit
from engine.access.scope import may_see_case
from engine.documents.compose import compose
from engine.documents.draft import template_of
from engine.documents.queries import snapshot_of
from engine.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from engine.reference import calendars
from engine.runtime.add_signer import add_signer
from engine.runtime.away import appoint_deputy, appointments, end_deputy
from engine.runtime.claim_task import claim_task, release_task
from engine.runtime.give_opinion import give_opinion
from engine.runtime.hand_over_all import hand_over_all
from engine.runtime.invariants import find_violations
from engine.runtime.queries import desk
from engine.runtime.queries.case_page import case_page
from engine.runtime.withdraw_act import withdraw_act
from engine.storage.tables.documents import document, document_signature
from engine.storage.tables.organisation import audit_head
from engine.storage.tables.runtime import act, instance, task, task_signer
from tests.engine.runtime.walk import HANDLING, application, case_of, do, key, open_nodes, open_task, start_clue
from tests.town import Town


def appoint(town: Town, who: str, deputy: str, *, days: int = 3, after: int = 0, processes: Any = (), one: str = "") -> Any:
    today = town.app.clock.today()
    return appoint_deputy(
        town.app, actor=town.actor(who), deputy_id=town.people[deputy], from_on=today + timedelta(days=after), until_on=today + timedelta(days=after + days),
        processes=processes, reason="出差", key=one or key(), at=town.app.clock.now(),
    )


def test_a_deputy_does_what_is_assigned_and_both_names_are_on_record(town: Town) -> None:
    case_id = start_clue(town).case_id
    with pytest.raises(NotFound):  # what one may not see looks like what is not there
        do(town, "other_officer", "verify", "file", data=HANDLING)
    appoint(town, "officer", "other_officer")
    with town.app.db.connect() as connection:
        assert may_see_case(connection, town.actor("other_officer"), case_id)
    done = do(town, "other_officer", "verify", "file", data=HANDLING)
    with town.app.db.connect() as connection:
        row = connection.execute(select(act).where(act.c.id == done.act_id)).mappings().one()
        assert (row["actor_name"], row["on_behalf_of"]) == ("莫怀瑾", "顾明川")
        ended = connection.execute(select(task).where(task.c.act_id == done.act_id)).mappings().one()
        assert (ended["ended_by"], ended["ended_for"]) == (town.people["other_officer"], town.people["officer"])
    assert case_of(town, case_id)["handler_id"] == town.people["officer"]
    withdraw_act(town.app, actor=town.actor("other_officer"), act_id=done.act_id, key=key(), at=town.app.clock.now())
    assert open_task(town, "verify")["assignee_id"] == town.people["officer"]
    assert find_violations(town.app) == []


def waiting(town: Town, who: str) -> list[tuple[str, bool, str]]:
    """(step, in a pool, for whom) of what ``who`` has on the desk."""
    with town.app.db.connect() as connection:
        today, calendar = town.app.clock.today(), calendars.load(connection)
        page = desk.waiting(connection, actor=town.actor(who), today=today, soon_until=today, calendar=calendar, filters=desk.Filters(), due="all", total=0)
    return [(row.step, row.pool, row.principal) for row in page.rows]


def test_a_deputy_takes_from_the_pool_what_whoever_is_away_could_take(town: Town) -> None:
    case_id = start_clue(town).case_id
    do(town, "officer", "verify", "file", data=HANDLING)
    do(town, "officer", "draft", "submit", data=application(town))
    step, at = open_task(town, "office_review"), town.app.clock.now()
    assert waiting(town, "other_head") == []
    with pytest.raises(NotFound):
        claim_task(town.app, actor=town.actor("other_head"), task_id=step["id"], key=key(), at=at)
    appoint(town, "head", "other_head", processes=["case_filing.case_filing_approval"])
    assert waiting(town, "other_head") == []  # the step belongs to another process
    appoint(town, "head", "other_head", processes=[process_of_task(town, step)])
    assert waiting(town, "other_head") == [(step["title"], True, "周启衡")] and waiting(town, "head") == [(step["title"], True, "")]
    deputy = town.actor("other_head")
    with town.app.db.connect() as connection:
        assert may_see_case(connection, deputy, case_id)
        shown = case_page(connection, actor=deputy, case_id=case_id).task(step["id"])
    assert shown is not None and (shown["mine"], shown["claimable"], shown["principal"]) == (None, True, "周启衡")
    claim_task(town.app, actor=deputy, task_id=step["id"], key=key(), at=at)
    assert open_task(town, "office_review")["assignee_id"] == town.people["head"]
    release_task(town.app, actor=deputy, task_id=step["id"], key=key(), at=at)
    assert open_task(town, "office_review")["assignee_id"] is None
    done = do(town, "other_head", "office_review", opinion="同意。")
    with town.app.db.connect() as connection:
        names = connection.execute(select(act.c.actor_name, act.c.on_behalf_of).where(act.c.task_id == step["id"], act.c.kind.in_(["claim", "release", "complete"]))).all()
        ended = connection.execute(select(task).where(task.c.act_id == done.act_id)).mappings().one()
    assert set(names) == {("白晓棠", "周启衡")} and len(names) == 3
    assert (ended["ended_by"], ended["ended_for"], ended["assignee_id"]) == (town.people["other_head"], town.people["head"], town.people["head"])
    withdraw_act(town.app, actor=deputy, act_id=done.act_id, key=key(), at=at)
    assert open_task(town, "office_review")["assignee_id"] == town.people["head"] and find_violations(town.app) == []


def process_of_task(town: Town, row: Any) -> str:
    """The process of the instance that a step belongs to."""
    with town.app.db.connect() as connection:
        return str(connection.scalar(select(instance.c.process).where(instance.c.id == row["instance_id"])))


def test_dates_processes_and_the_end_of_an_appointment_count(town: Town) -> None:
    start_clue(town)
    appoint(town, "officer", "other_officer", after=1)
    with pytest.raises((Forbidden, NotFound)):
        do(town, "other_officer", "verify", "file", data=HANDLING)
    with pytest.raises(Conflict, match="已经委托了别人"):
        appoint(town, "officer", "staff", after=2)
    town.app.clock.advance(timedelta(days=1))
    with town.app.db.connect() as connection:
        mine, given = appointments(connection, actor=town.actor("officer"), today=town.app.clock.today())
        assert [one.state for one in mine] == ["now"] and not given
    with pytest.raises(NotFound):
        end_deputy(town.app, actor=town.actor("other_officer"), appointment_id=mine[0].id, at=town.app.clock.now())
    end_deputy(town.app, actor=town.actor("officer"), appointment_id=mine[0].id, at=town.app.clock.now())
    with pytest.raises((Forbidden, NotFound)):
        do(town, "other_officer", "verify", "file", data=HANDLING)
    appoint(town, "officer", "other_officer", processes=["case_filing.case_filing_approval"])
    with pytest.raises((Forbidden, NotFound)):
        do(town, "other_officer", "verify", "file", data=HANDLING)
    appoint(town, "officer", "staff", processes=["case_filing.clue_intake"])
    do(town, "staff", "verify", "file", data=HANDLING)


def test_bad_appointments_are_refused_and_the_same_key_is_one(town: Town) -> None:
    one = key()
    assert appoint(town, "officer", "staff", one=one) == appoint(town, "officer", "staff", one=one)
    for wrong in ({"days": -1}, {"after": -9}, {"days": 400}, {"processes": ["no.such"]}):
        with pytest.raises(Invalid):
            appoint(town, "head", "staff", **wrong)
    with pytest.raises(Invalid):
        appoint(town, "head", "head")


def hand_over(town: Town, who: str, leaver: str, receiver: str, one: str = "", reason: str = "调离。") -> Any:
    return hand_over_all(town.app, actor=town.actor(who), from_person_id=town.people[leaver], to_person_id=town.people[receiver], reason=reason,
                         key=one or key(), at=town.app.clock.now())


def test_everything_a_leaver_holds_goes_over_once(town: Town) -> None:
    first, second = start_clue(town), start_clue(town)
    do(town, "officer", "verify", "file", data=HANDLING, case_id=first.case_id)
    do(town, "officer", "draft", "submit", data=application(town), case_id=first.case_id)
    row = open_task(town, "office_review")
    add_signer(town.app, actor=town.actor("head"), task_id=row["id"], when="before", people=[town.people["officer"]], key=key(), at=town.app.clock.now())
    one = key()
    done = hand_over(town, "head", "officer", "officer_two", one)
    assert (done.tasks, done.asked, done.cases, done.refused) == (1, 1, 2, ())
    again = hand_over(town, "head", "officer", "officer_two", one)
    assert (again.tasks, again.asked, again.cases) == (0, 0, 0)
    assert open_task(town, "verify", second.case_id)["assignee_id"] == town.people["officer_two"]
    assert case_of(town, first.case_id)["handler_id"] == town.people["officer_two"]
    give_opinion(town.app, actor=town.actor("officer_two"), task_id=row["id"], stance="agree", opinion="可以。", key=key(), at=town.app.clock.now())
    do(town, "head", "office_review")
    assert open_nodes(town, first.case_id) == ["section_review"]
    with town.app.db.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(act).where(act.c.kind == "hand_over", act.c.outcome_title == "顾明川交接给程砚白")) == 4
        assert connection.scalar(select(func.count()).select_from(task_signer).where(task_signer.c.person_name == "程砚白", task_signer.c.status == "done")) == 1
        assert all(audit.verify(connection, chain) is None for chain in connection.scalars(select(audit_head.c.chain)))
    assert find_violations(town.app) == []


def test_who_may_hand_over(town: Town) -> None:
    start_clue(town)
    for who in ("officer", "other_head", "staff"):
        with pytest.raises(Forbidden):
            hand_over(town, who, "officer", "officer_two")
    with pytest.raises(Invalid):
        hand_over(town, "head", "officer", "officer")
    with pytest.raises(Invalid):
        hand_over(town, "head", "officer", "officer_two", reason=" ")
    assert hand_over(town, "chief", "officer", "officer_two").tasks == 1


def test_a_document_names_the_deputy_and_for_whom(town: Town) -> None:
    start_clue(town)
    do(town, "officer", "verify", "file", data=HANDLING)
    do(town, "officer", "draft", "submit", data=application(town))
    claim_task(town.app, actor=town.actor("head"), task_id=open_task(town, "office_review")["id"], key=key(), at=town.app.clock.now())
    appoint(town, "head", "other_head")
    do(town, "other_head", "office_review", opinion="同意立案。")
    do(town, "staff", "section_review")
    do(town, "section_head", "section_head_review", "joint", data={"joint_unit": str(town.units["quality_section"])})
    for who, node in (("joint_staff", "joint_staff_review"), ("joint_head", "joint_head_review"), ("chief", "agency_approval")):
        do(town, who, node, opinion="同意。")
    with town.app.db.connect() as connection:
        paper = connection.execute(select(document).where(document.c.state == "issued")).mappings().one()
        signers = connection.scalars(select(document_signature.c.signer_name).where(document_signature.c.document_id == paper["id"], document_signature.c.kind == "personal")).all()
        made = compose(template_of(town.app, connection.execute(select(document)).one()), snapshot_of(paper["data"], number="1", today=None), check_code="", verify_url="")
    assert [(one["person"], one["for"]) for one in paper["data"]["opinions"] if one["node"] == "office_review"] == [("白晓棠", "周启衡")]
    assert "白晓棠（代 周启衡）" in signers and "（代 周启衡）" in made.html and made.html.count("（代") == 1
