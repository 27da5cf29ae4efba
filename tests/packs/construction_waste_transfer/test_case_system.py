"""The link to the case system over a socket: linked once, refused with their reason, without an answer not waited for."""
from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from engine.kernel.clock import FixedClock
from engine.kernel.errors import BusinessError, TryAgain
from engine.runtime.fire_due_timers import fire_due_timers
from engine.runtime.run_clock_steps import run_clock_steps
from engine.sdk import ConnectorConfig
from engine.storage.tables.organisation import notice
from integrations.case_system.client import make_client
from integrations.case_system.messages import TicketLink
from tests.packs.construction_waste_transfer.conftest import CaseSystem
from tests.packs.construction_waste_transfer.test_transfer import record
from tests.packs.construction_waste_transfer.tickets import NUMBER, disposal, handed_out, person
from tests.packs.walk import Walker


def link(number: str = NUMBER, ticket: str = "沪城管云移〔2026〕0001号") -> TicketLink:
    return TicketLink(case_number=number, ticket_number=ticket, title="倾倒工程渣土", officer="许闻笛", linked_on=date(2026, 11, 20))


def client(system: CaseSystem, **options: Any) -> Any:
    return make_client(ConnectorConfig(name="case_system", url=system.url, options=options, simulated=True))


def told(walk: Walker, login: str) -> list[str]:
    with walk.app.db.connect() as connection:
        return list(connection.scalars(select(notice.c.text).where(notice.c.person_id == walk.actor(login).person_id)))


def test_the_same_key_links_once_and_another_ticket_is_refused(case_system: CaseSystem) -> None:
    first = client(case_system).link_ticket(link(), key="one")
    again = client(case_system).link_ticket(link(), key="one")
    assert (first, first.case_number, first.state) == (again, NUMBER, "已立案")
    assert len(case_system.links()) == 1
    with pytest.raises(BusinessError, match="已经关联工单 沪城管云移〔2026〕0001号"):
        client(case_system).link_ticket(link(ticket="沪城管云移〔2026〕0002号"), key="two")


@pytest.mark.parametrize(("number", "words"), [("沪城管临罚〔2026〕000000号", "没有案件"), ("胡乱写的", "没有案件"), ("沪城管临罚〔2026〕000129号", "已经撤销")])
def test_what_they_do_not_accept_comes_with_their_reason(case_system: CaseSystem, number: str, words: str) -> None:
    with pytest.raises(BusinessError, match=words):
        client(case_system).link_ticket(link(number), key="k")


@pytest.mark.parametrize("mode", ["down", "slow", "nonsense"])
def test_no_sensible_answer_is_worth_another_try(case_system: CaseSystem, mode: str) -> None:
    case_system.behave(mode)
    with pytest.raises(TryAgain):
        client(case_system, timeout_seconds=0.2).link_ticket(link(), key="k")


@pytest.mark.requirement("CMD-176")
def test_the_ticket_and_the_case_know_each_other(walk: Walker, case_system: CaseSystem) -> None:
    handed_out(walk)
    walk.do("b1_officer", "dispose", "submit", disposal())
    walk.run_jobs()

    (linked,) = case_system.links()
    assert (linked["case_number"], linked["ticket_number"], linked["officer"]) == (NUMBER, walk.case()["number"], "许闻笛")
    kept = record(walk)
    assert (kept["link_state"], kept["linked_title"], kept["linked_state"]) == ("linked", "擅自倾倒建筑垃圾案（000123）", "已立案")
    assert walk.waiting() == {"squad_review"}


@pytest.mark.requirement("CMD-176")
def test_a_number_that_they_do_not_know_comes_back_to_the_officer_with_the_reason(walk: Walker, case_system: CaseSystem) -> None:
    handed_out(walk)
    walk.do("b1_officer", "dispose", "submit", disposal(case_number="沪城管临罚〔2026〕000000号"))
    walk.run_jobs()

    assert (walk.holders("dispose"), walk.task("dispose")["title"]) == ({"b1_officer"}, "现场处置：案件编号没有关联上，请核对")
    assert any("没有案件 沪城管临罚〔2026〕000000号" in text for text in told(walk, "b1_officer"))

    walk.do("b1_officer", "dispose", "submit", disposal())
    walk.run_jobs()
    assert walk.waiting() == {"squad_review"}
    assert record(walk)["case_number"] == NUMBER


def test_a_result_that_is_sent_back_is_not_linked_again_unless_the_number_changes(walk: Walker, case_system: CaseSystem) -> None:
    handed_out(walk)
    walk.do("b1_officer", "dispose", "submit", disposal())
    walk.run_jobs()
    walk.do("b1_head", "squad_review", "send_back", opinion="请补充照片。")
    case_system.behave("down")
    walk.do("b1_officer", "dispose", "submit", disposal(findings="补充了照片。"))
    assert walk.waiting() == {"squad_review"}


def test_a_system_that_is_away_does_not_hold_the_review_either(walk: Walker, clock: FixedClock, case_system: CaseSystem) -> None:
    handed_out(walk)
    case_system.behave("down")
    walk.do("b1_officer", "dispose", "submit", disposal())
    with pytest.raises(TryAgain):
        walk.run_jobs()
    assert walk.waiting() == set()
    clock.advance(timedelta(hours=2, minutes=1))
    fire_due_timers(walk.app, clock.now())

    assert walk.waiting() == {"squad_review"}
    case_system.behave("ok")
    walk.run_jobs()
    assert (record(walk)["link_state"], case_system.links()) == ("unconfirmed", [])


def test_without_an_answer_the_review_goes_on_and_the_link_stays_to_be_confirmed(walk: Walker, clock: FixedClock, case_system: CaseSystem) -> None:
    handed_out(walk)
    walk.do("b1_officer", "dispose", "submit", disposal())
    assert walk.waiting() == set()
    clock.set(clock.now() + timedelta(hours=2, minutes=1))
    fire_due_timers(walk.app, clock.now())

    assert walk.waiting() == {"squad_review"}
    assert record(walk)["link_state"] == "unconfirmed"


def test_a_ticket_past_its_term_is_told_to_the_officer_and_then_to_those_above(walk: Walker, clock: FixedClock) -> None:
    handed_out(walk)
    (term,) = walk.clocks()
    assert (str(term["due_on"]), str(walk.task("dispose")["due_on"])) == ("2026-12-04", "2026-12-04")
    for _ in range(19):
        clock.advance(timedelta(days=1))
        run_clock_steps(walk.app, clock.now())

    assert any("处置期限已满" in text for text in told(walk, "b1_officer"))
    assert any("超过处置期限" in text for text in told(walk, "b_head") + told(walk, "b1_head") + told(walk, "a1_head"))
    assert person(walk, "b1_officer") == str(walk.task("dispose")["assignee_id"])
