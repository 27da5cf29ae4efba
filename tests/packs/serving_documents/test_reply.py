"""After the notice: the party answers on its page or on paper within the term, or lets it pass."""
from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from engine.kernel.clock import SHANGHAI, FixedClock
from engine.kernel.errors import Invalid
from engine.runtime.fire_due_timers import fire_due_timers
from tests.packs.serving_documents.conftest import ServedCase
from tests.packs.serving_documents.outside import Outsider
from tests.packs.serving_documents.test_modes import DIRECT, record

OWNER: dict[str, Any] = {"name": "白晓棠", "identifier": "110101199003070003"}


def notified(case: ServedCase, *, hearing: bool = True) -> str:
    """A notice served today and the party asked; the address of its step."""
    paper = case.paper()
    case.serve(paper)
    case.do("officer", "serve_offline", "submit", record(case, **DIRECT))
    case.matter("officer", "serving_documents.hear_party", {"document": paper, "party": case.parties["factory"], "hearing_offered": hearing})
    return f"/party/tasks/{case.task('reply_online')['id']}"


def owner(case: ServedCase) -> Outsider:
    """Somebody who acts for the factory, by a code handed over."""
    from uuid import UUID

    from engine.access.party_papers import make_code

    outsider = Outsider(case.app, **OWNER)
    with case.app.db.begin() as connection:
        code = make_code(connection, party_id=UUID(case.parties["factory"]), case_id=case.case_id, at=case.at, until=case.at.replace(year=2027))  # type: ignore[arg-type]
    assert outsider.post("/party/code", code=code).status_code == 303
    return outsider


def wanted(case: ServedCase) -> str:
    """What the officer was told last."""
    return next(words for words in case.notices("officer") if "陈述" in words)


def test_the_party_states_its_case_and_the_other_way_closes(case: ServedCase) -> None:
    step, factory = notified(case), owner(case)
    assert case.task("reply_online")["due_on"] == date(2026, 11, 25)
    assert "11月25日" in factory.get(step).text.replace("\u2009", "").replace("\u00a0", "").replace(" ", "")
    assert factory.act(step, "submit", wants="statement").status_code == 422
    assert factory.act(step, "submit", wants="statement", statement="货架上的食品已经下架，没有售出。").status_code == 303

    assert case.waiting() == set()
    assert "提出了陈述、申辩" in wanted(case)
    (row,) = [row for row in case.clocks() if ".reply/" in row["clock"]]
    assert row["state"] == "met"
    assert "已经办过" in factory.get(step).text


def test_a_hearing_can_be_asked_for_only_where_it_was_offered(case: ServedCase) -> None:
    step, factory = notified(case, hearing=False), owner(case)
    refused = factory.act(step, "submit", wants="hearing")
    assert (refused.status_code, "不能要求听证" in refused.text) == (422, True)
    assert factory.act(step, "submit", wants="waive").status_code == 303
    assert "不陈述、申辩" in wanted(case)


def test_silence_waives_when_the_clock_says_so_and_a_late_answer_names_the_rule(case: ServedCase, clock: FixedClock) -> None:
    step, factory = notified(case), owner(case)
    clock.set(datetime(2026, 11, 26, 0, 5, tzinfo=SHANGHAI))
    factory.enter()
    late = factory.act(step, "submit", wants="hearing")
    assert late.status_code == 409
    assert "陈述、申辩和要求听证的期限" in late.text
    assert "2026年11月25日届满" in late.text
    assert "PEN-1157" in late.text
    assert case.waiting() == set()
    assert "视为放弃" in wanted(case)
    assert fire_due_timers(case.app, clock.now()) == 0


def test_what_came_on_paper_is_entered_by_the_officer_within_the_term(case: ServedCase) -> None:
    notified(case)
    answers = {"received_on": "2026-11-20", "wants": "both", "statement": "要求听证。", "attachments": case.proof()}
    with pytest.raises(Invalid) as refused:
        case.do("officer", "record_reply", "submit", {**answers, "received_on": "2026-11-19"})
    assert "早于告知书的送达日期" in refused.value.fields["received_on"]
    case.do("officer", "record_reply", "submit", answers)
    assert case.waiting() == set()
