"""Online first: the party reads and signs on its own page; not signed in time, the flow moves offline by itself."""
from __future__ import annotations

import re
from datetime import date, datetime

import pytest

from engine.kernel.clock import SHANGHAI, FixedClock
from engine.runtime.fire_due_timers import fire_due_timers
from tests.packs.serving_documents.conftest import ServedCase
from tests.packs.serving_documents.outside import Outsider

HEAD = {"name": "白晓棠", "identifier": "110101199003070003"}


def code_of(case: ServedCase) -> str:
    """The one-time code as printed on the 线上签收告知单."""
    notice = next(paper for paper in case.documents() if paper["title"] == "线上签收告知单")
    return str(notice["data"]["data"]["code"])


def bound(case: ServedCase) -> Outsider:
    """The factory's head, whose account the code on the paper has bound to the factory."""
    outsider = Outsider(case.app, **HEAD)
    answer = outsider.post("/party/code", code=code_of(case))
    assert answer.status_code == 303, answer.text
    return outsider


@pytest.mark.requirement("PEN-1146")
@pytest.mark.requirement("PEN-1197")
@pytest.mark.requirement("PEN-1272")
def test_the_party_reads_and_signs_and_the_officer_is_told(case: ServedCase) -> None:
    paper = case.paper()
    case.serve(paper, route="online")
    case.run_jobs()
    factory = bound(case)

    shown = next(link for link in factory.links() if "/papers/" in link)
    assert "解除行政强制措施决定书" in factory.get(shown).text
    assert factory.get(f"{shown}/pdf").data.startswith(b"%PDF")
    (step,) = {link for link in factory.links() if "/tasks/" in link}
    assert "填好上面的栏后自动算出" not in factory.get(step).text
    refused = factory.act(step, "sign", read="true", consent="false", address="云浦区汀兰路 45 号")
    assert (refused.status_code, "先同意电子送达" in refused.text) == (422, True)
    done = factory.act(step, "sign", consent="true", address="云浦区汀兰路 45 号", read="true")

    assert done.status_code == 303, re.sub(r"<[^>]+>", "", done.text)
    (row,) = case.services()
    assert (row["mode"], row["served_on"], row["state"]) == ("electronic", date(2026, 11, 20), "served")
    assert case.state_of(paper) == "served"
    assert any("已送达" in words for words in case.notices("officer"))
    (address,) = case.records("serving_documents__service_address")
    assert (address["electronic"], address["address"]) == (True, "云浦区汀兰路 45 号")
    signed = next(act for act in case.acts() if act["node"] == "sign_online")
    assert (signed["actor_name"], signed["actor_post"]) == ("上海云浦麦浪食品有限公司（白晓棠）", "当事人")


@pytest.mark.requirement("PEN-1146")
@pytest.mark.requirement("PEN-1197")
@pytest.mark.requirement("PEN-1274")
def test_what_is_not_signed_in_time_moves_offline_by_itself_and_the_officer_is_reminded(case: ServedCase, clock: FixedClock) -> None:
    case.serve(case.paper(), route="online")
    factory = bound(case)
    (step,) = {link for link in factory.links() if "/tasks/" in link}
    clock.set(datetime(2026, 11, 26, 9, tzinfo=SHANGHAI))
    factory.enter()

    late = factory.act(step, "sign", read="true", consent="true", address="云浦区汀兰路 45 号")

    assert late.status_code == 409
    assert "线上签收期限" in late.text
    assert "2026年11月25日届满" in late.text
    assert case.waiting() == {"serve_offline"}
    assert any("已转为线下送达" in words for words in case.notices("officer"))
    assert case.services()[0]["state"] == "offline"
    assert "届满" in factory.get(step).text
    assert "解除行政强制措施决定书" not in factory.get("/party").text


def test_the_worker_moves_it_offline_without_anybody(case: ServedCase, clock: FixedClock) -> None:
    case.serve(case.paper(), route="online")
    clock.set(datetime(2026, 11, 26, 0, 1, tzinfo=SHANGHAI))

    assert fire_due_timers(case.app, clock.now()) == 1

    assert case.waiting() == {"serve_offline"}


def test_a_party_may_decline_to_sign_online(case: ServedCase) -> None:
    case.serve(case.paper(), route="online")
    factory = bound(case)
    (step,) = {link for link in factory.links() if "/tasks/" in link}

    assert factory.act(step, "decline").status_code == 303

    assert case.waiting() == {"serve_offline"}


@pytest.mark.requirement("PEN-1137")
@pytest.mark.requirement("PEN-1273")
def test_consent_given_before_dates_the_service_by_its_arrival(case: ServedCase, clock: FixedClock) -> None:
    case.matter("officer", "serving_documents.confirm_address", {"party": case.parties["factory"]})
    case.do("officer", "confirm", "submit", {
        "address": "云浦区汀兰路 45 号", "receiver": "白晓棠", "electronic": True, "means": "platform", "account_number": "91310101MA1FPX1234",
        "confirmed_on": "2026-11-20", "signed": case.proof(field="signed"), "note": "地址变更应当及时书面告知。",
    })
    case.serve(case.paper(), route="online")
    factory = bound(case)
    clock.set(datetime(2026, 11, 24, 9, tzinfo=SHANGHAI))
    factory.enter()
    (step,) = {link for link in factory.links() if "/tasks/" in link}

    assert factory.act(step, "sign", read="true").status_code == 303

    assert case.services()[0]["served_on"] == date(2026, 11, 20)


@pytest.mark.parametrize("code", ["", "AAAA-BBBB-CCCC", "used"])
def test_a_code_is_right_once_and_for_one_account(case: ServedCase, code: str) -> None:
    case.serve(case.paper(), route="online")
    if code == "used":
        bound(case)
        code = code_of(case)
    other = Outsider(case.app, name="王一二", identifier="11010519491231002X")

    answer = other.post("/party/code", code=code)

    assert answer.status_code == 422
    assert "签收码" in answer.text
    assert "解除行政强制措施决定书" not in other.get("/party").text
