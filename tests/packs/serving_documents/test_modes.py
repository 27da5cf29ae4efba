"""Every mode of service, its evidence, and the date that the law gives it."""
from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from engine.kernel.clock import SHANGHAI, FixedClock
from engine.kernel.errors import GuichengError, Invalid
from engine.runtime.fire_due_timers import fire_due_timers
from integrations.portal.simulator import Board
from tests.packs.serving_documents.conftest import PERSON, ServedCase, add_party


def record(case: ServedCase, **answers: Any) -> dict[str, Any]:
    """Answers of 线下送达记录 with a receipt and a picture where they are asked for."""
    return {"receipt": case.proof(field="receipt"), **answers}


DIRECT = {"mode": "direct", "direct_result": "signed", "receiver_kind": "representative", "receiver": "白晓棠", "signed_on": "2026-11-20"}


def test_direct_service_is_dated_by_the_receipt_and_marks_the_document_served(case: ServedCase) -> None:
    paper = case.paper()
    case.serve(paper)
    case.do("officer", "serve_offline", "submit", record(case, **DIRECT))

    (row,) = case.services()
    assert (row["mode"], row["served_on"], row["state"], row["receiver"]) == ("direct", date(2026, 11, 20), "served", "白晓棠")
    assert case.state_of(paper) == "served"
    assert "送达回证" in [one["title"] for one in case.documents()]
    assert case.waiting() == set()


@pytest.mark.requirement("PEN-1136")
@pytest.mark.requirement("PEN-1190")
@pytest.mark.requirement("PEN-1271")
def test_the_other_ways_on_paper_each_with_its_date_and_receipt(case: ServedCase, clock: FixedClock) -> None:
    papers = [case.paper() for _ in range(4)]
    clock.set(datetime(2026, 11, 27, 10, tzinfo=SHANGHAI))
    ways: list[tuple[dict[str, Any], date]] = [
        ({"mode": "retained", "retained_way": "witness", "refuser": "白晓棠", "refusal_reason": "不认可", "witness": "顾青", "witness_unit": "汀兰居委会", "left_on": "2026-11-24"}, date(2026, 11, 24)),
        ({"mode": "entrusted", "entrusted_unit": "邻区局", "entrusted_on": "2026-11-23", "entrusted_receiver": "白晓棠", "entrusted_signed_on": "2026-11-25"}, date(2026, 11, 25)),
        ({"mode": "mailed", "carrier": "中国邮政", "tracking_number": "XA123456789", "posted_on": "2026-11-23", "mail_result": "received", "received_on": "2026-11-26"}, date(2026, 11, 26)),
    ]
    for paper, (answers, _) in zip(papers, ways, strict=False):
        case.serve(paper)
        case.do("officer", "serve_offline", "submit", record(case, **answers))
    case.run_jobs()

    assert [(row["mode"], row["served_on"]) for row in case.services()] == [(answers["mode"], day) for answers, day in ways]
    assert [case.state_of(paper) for paper in papers] == ["served", "served", "served", "issued"]
    receipts = [one for one in case.documents() if one["title"] == "送达回证"]
    assert len(receipts) == 3
    assert all(one["sealed_sm3"] or one["pdf_sm3"] for one in receipts)

    case.serve(papers[3])
    with pytest.raises(Invalid) as refused:
        case.do("officer", "serve_offline", "submit", record(case, **{**DIRECT, "signed_on": "2026-11-19"}))
    assert "早于文书的签发日期" in refused.value.fields["signed_on"]
    case.do("officer", "serve_offline", "absent", {"absent_on": "2026-11-24"})
    absent = next(row for row in case.clocks() if "absent_service" in row["clock"])
    assert (absent["due_on"], absent["state"]) == (date(2026, 12, 3), "running")
    case.do("officer", "serve_offline", "absent", {"absent_on": "2026-11-25"})
    case.do("officer", "serve_offline", "submit", record(case, **{**DIRECT, "signed_on": "2026-11-26"}))
    assert next(row for row in case.clocks() if "absent_service" in row["clock"])["state"] == "met"


def announce(case: ServedCase, channel: str) -> None:
    case.do("officer", "serve_offline", "unreachable", {}, opinion="登记地址已无人经营，电话停机。")
    case.do("officer", "apply_announcement", "submit", {"ground": "missing", "course": "两次上门、一次邮寄均未送达。", "content": "请于公告期内到本局领取。"})
    case.do("head", "review_announcement", "approve", {"comment": "同意。"})
    case.do("chief", "approve_announcement", "approve", {"channel": channel, "comment": "同意。"})


@pytest.mark.requirement("PEN-1138")
@pytest.mark.requirement("PEN-1146")
@pytest.mark.requirement("PEN-1197")
@pytest.mark.requirement("PEN-1275")
def test_posted_announcement_serves_after_thirty_days(case: ServedCase, clock: FixedClock) -> None:
    paper = case.paper()
    case.serve(paper)
    case.do("officer", "serve_offline", "unreachable", {}, opinion="找不到人。")
    case.do("officer", "apply_announcement", "submit", {"ground": "missing", "course": "两次上门均无人。", "content": "请到本局领取。"})
    case.back("head", "review_announcement", "apply_announcement", "请写明邮寄的结果。")
    case.do("officer", "apply_announcement", "abandon", {}, opinion="当事人已联系上。")
    assert case.waiting() == {"serve_offline"}
    announce(case, "posting")
    with pytest.raises(Invalid) as refused:
        case.do("officer", "record_posting", "submit", {"published_on": "2026-11-20", "posted_by": "顾明川", "places": "公告栏"})
    assert "photos" in refused.value.fields
    posted = {"published_on": "2026-11-20", "posted_by": "顾明川、程砚白", "places": "本局公告栏；受送达人住所地", "photos": case.picture()}
    case.do("officer", "record_posting", "submit", posted)
    assert case.services()[0]["state"] == "announcing"
    assert next(row for row in case.clocks() if "announcement" in row["clock"])["due_on"] == date(2026, 12, 20)
    clock.set(datetime(2026, 12, 20, 23, tzinfo=SHANGHAI))
    assert fire_due_timers(case.app, clock.now()) == 0
    clock.set(datetime(2026, 12, 21, 0, 1, tzinfo=SHANGHAI))
    assert fire_due_timers(case.app, clock.now()) == 1

    (row,) = case.services()
    assert (row["mode"], row["served_on"]) == ("announcement", date(2026, 12, 20))
    assert case.state_of(paper) == "served"


@pytest.mark.requirement("PEN-1146")
@pytest.mark.requirement("PEN-1197")
@pytest.mark.requirement("PEN-1275")
def test_announcement_on_the_portal_is_pushed_once_and_says_where(case: ServedCase, portal: Board, clock: FixedClock) -> None:
    case.serve(case.paper())
    announce(case, "website")
    case.run_jobs()

    (shown,) = portal.shown
    assert shown["title"] == "送达公告（上海云浦麦浪食品有限公司）"
    assert "请于公告期内到本局领取" in shown["text"]
    assert case.services()[0]["state"] == "announcing"


def test_a_refused_announcement_goes_back_to_serving(case: ServedCase) -> None:
    case.serve(case.paper())
    case.do("officer", "serve_offline", "unreachable", {}, opinion="找不到人。")
    case.do("officer", "apply_announcement", "submit", {"ground": "missing", "course": "一次上门。", "content": "请到本局领取。"})
    case.do("head", "review_announcement", "approve", {"comment": "同意。"})
    case.do("chief", "approve_announcement", "disapprove", {"comment": "先邮寄。"}, opinion="先邮寄。")
    assert case.waiting() == {"serve_offline"}


def test_several_documents_on_several_parties_each_go_their_own_way(case: ServedCase) -> None:
    add_party(case, "person", PERSON)
    first, second = case.paper(), case.paper()
    case.serve(first, second, parties=("factory", "person"))

    assert len(case.services()) == 4
    assert {(row["paper"], row["party"]) for row in case.services()} >= {(row["paper"], "王一二") for row in case.services()}


def test_what_is_not_issued_or_of_nobody_cannot_be_served(case: ServedCase) -> None:
    with pytest.raises(GuichengError):
        case.serve()
    with pytest.raises(Invalid):
        case.serve("01900000-0000-7000-8000-000000000001")
