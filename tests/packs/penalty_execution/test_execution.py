"""A decision carried out: paid, paid in cash, deferred, demanded, taken to court, ended."""
from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from engine.access.party_accounts import bind
from engine.kernel.clock import SHANGHAI, FixedClock
from engine.kernel.errors import Invalid
from tests.packs.serving_documents.conftest import ServedCase
from tests.packs.serving_documents.outside import Outsider

SERVED = {"mode": "direct", "direct_result": "signed", "receiver_kind": "representative", "receiver": "白晓棠"}
CHAIN = (("head", "office_review"), ("section_head", "section_head_review"), ("chief", "agency_approval"))


def step(case: ServedCase, outcome: str) -> None:
    case.do("officer", "next_step", outcome, {})


def pay(case: ServedCase, amount: str, of_fine: str = "fine", on: str = "2026-11-20") -> None:
    step(case, "pay")
    case.do("officer", "record_payment", "submit", {"paid_on": on, "amount": amount, "of_fine": of_fine, "way": "bank", "voucher": case.proof(field="voucher")})


def execution(case: ServedCase) -> dict[str, Any]:
    (row,) = case.records("penalty_execution__execution")
    return row


def at(clock: FixedClock, year: int, month: int, day: int) -> None:
    clock.set(datetime(year, month, day, 10, tzinfo=SHANGHAI))


def test_paid_in_time_it_is_performed(case: ServedCase) -> None:
    assert execution(case)["pay_by"] == date(2026, 12, 7)
    pay(case, "2000.00")
    pay(case, "3000.00")

    row = execution(case)
    assert (row["state"], row["paid"], row["result"], row["ended_on"]) == ("performed", Decimal("5000.00"), "已履行", date(2026, 11, 20))
    assert case.waiting() == set()
    assert [one["amount"] for one in case.records("penalty_execution__payment")] == [Decimal("2000.00"), Decimal("3000.00")]


@pytest.mark.requirement("PEN-1139")
@pytest.mark.requirement("PEN-1202")
def test_cash_is_handed_over_and_paid_in_within_two_working_days_each(case: ServedCase) -> None:
    step(case, "cash")
    cash = {"collected_on": "2026-11-20", "on_water": False, "amount": "5000.00", "ground": "small", "receipt": case.proof(field="receipt")}
    with pytest.raises(Invalid) as refused:
        case.do("officer", "record_cash", "submit", cash)
    assert "第六十八条" in refused.value.fields["amount"]
    case.do("officer", "record_cash", "submit", {**cash, "ground": "hard"})

    assert case.task("hand_over_cash")["due_on"] == date(2026, 11, 24)
    with pytest.raises(Invalid) as refused:
        case.do("officer", "hand_over_cash", "submit", {"handed_on": "2026-11-20", "handed_amount": "4999.00"})
    assert "对不上" in refused.value.fields["handed_amount"]
    case.do("officer", "hand_over_cash", "submit", {"handed_on": "2026-11-20", "handed_amount": "5000.00"})
    assert execution(case)["state"] == "handed_over"
    case.do("staff", "deposit_cash", "submit", {"deposited_on": "2026-11-20", "deposited_amount": "5000.00", "proof": case.proof("staff", field="proof")})

    assert execution(case)["state"] == "performed"
    assert {row["clock"].split("/")[0]: row["state"] for row in case.clocks() if "cash" in row["clock"]} == {
        "penalty_execution.cash_handover": "met", "penalty_execution.cash_deposit": "met",
    }


def test_on_water_the_two_days_count_from_landing_and_a_late_handover_shows(case: ServedCase, clock: FixedClock) -> None:
    at(clock, 2026, 11, 27)
    step(case, "cash")
    case.do("officer", "record_cash", "submit", {
        "collected_on": "2026-11-23", "on_water": True, "landed_on": "2026-11-24", "amount": "80.00", "ground": "small", "receipt": case.proof(field="receipt"),
    })
    assert case.task("hand_over_cash")["due_on"] == date(2026, 11, 26)
    case.do("officer", "hand_over_cash", "submit", {"handed_on": "2026-11-27", "handed_amount": "80.00"})
    assert [row["state"] for row in case.clocks() if "cash_handover" in row["clock"]] == ["expired"]


def test_overdue_grows_by_three_percent_a_day_and_what_is_too_much_or_too_early_is_refused(case: ServedCase, clock: FixedClock) -> None:
    at(clock, 2026, 12, 17)
    step(case, "refresh")
    assert execution(case)["state"] == "overdue"
    with pytest.raises(Invalid, match="多于还欠"):
        pay(case, "5000.01")
    case.do("officer", "record_payment", "back")
    with pytest.raises(Invalid, match="早于处罚决定书的送达日期"):
        pay(case, "100.00", on="2026-11-19")
    case.do("officer", "record_payment", "back")
    pay(case, "5000.00", on="2026-12-17")
    assert case.waiting() == {"next_step", "apply_deferral"}
    at(clock, 2027, 1, 20)
    pay(case, "1500.00", of_fine="additional", on="2027-01-20")
    assert execution(case)["state"] == "performed"
    assert execution(case)["additional_paid"] == Decimal("1500.00")


def defer(case: ServedCase, **answers: Any) -> None:
    """By the quick way from the case page: one form, then the chain."""
    with case.app.db.begin() as connection:
        connection.exec_driver_sql("UPDATE case_file SET state = 'executing' WHERE id = %s", (case.case_id,))
    case.matter("officer", "penalty_execution.quick_deferral", {"request_line": "当事人申请分期。", "hardship": "停业两个月，资金周转困难。", **answers})
    case.approve(*CHAIN)
    case.run_jobs()
    case.do("officer", "choose_route", "submit", {"route": "offline"})
    served = {"mode": "direct", "direct_result": "signed", "receiver_kind": "representative", "receiver": "白晓棠", "signed_on": "2026-11-20"}
    case.do("officer", "serve_offline", "submit", {**served, "receipt": case.proof(field="receipt")})


@pytest.mark.requirement("PEN-1290")
def test_instalments_are_approved_scheduled_and_told_in_writing(case: ServedCase, clock: FixedClock) -> None:
    defer(case, kind="instalment", instalments=3, first_due="2026-12-20")

    plan = [(row["number"], row["due_on"], row["amount"]) for row in case.records("penalty_execution__payment_schedule")]
    assert plan == [(1, date(2026, 12, 20), Decimal("1666.66")), (2, date(2027, 1, 20), Decimal("1666.66")), (3, date(2027, 2, 20), Decimal("1666.68"))]
    assert (execution(case)["state"], execution(case)["deferred_until"]) == ("deferred", date(2027, 2, 20))
    assert {"延期、分期缴纳罚款通知书", "延期、分期缴纳罚款审批表"} <= {paper["title"] for paper in case.documents()}
    with pytest.raises(Invalid, match="已经批准延期、分期到 2027-02-20"):
        case.matter("officer", "penalty_execution.quick_deferral", {})
    at(clock, 2027, 2, 20)
    step(case, "refresh")
    assert execution(case)["state"] == "deferred"
    at(clock, 2027, 2, 21)
    step(case, "refresh")
    assert execution(case)["state"] == "overdue"


def test_a_deferral_that_is_refused_changes_nothing_and_one_into_the_past_cannot_be_asked(case: ServedCase) -> None:
    step(case, "deferral")
    with pytest.raises(Invalid) as refused:
        case.do("officer", "draft", "submit", {"request_line": "申请延期。", "hardship": "困难。", "kind": "deferral", "until": "2026-11-20"})
    assert "晚于今天" in refused.value.fields["until"]
    with pytest.raises(Invalid) as refused:
        case.do("officer", "draft", "submit", {"request_line": "申请分期。", "hardship": "困难。", "kind": "instalment", "instalments": 13, "first_due": "2026-12-20"})
    assert "上限" in refused.value.fields["instalments"]
    case.do("officer", "draft", "submit", {"request_line": "申请延期。", "hardship": "困难。", "kind": "deferral", "until": "2027-01-20"})
    case.approve(("head", "office_review"), ("section_head", "section_head_review"))
    case.do("chief", "agency_approval", "disapprove", opinion="不属于经济困难。")
    assert execution(case)["deferred_until"] is None
    assert case.waiting() == {"next_step", "apply_deferral"}


def demand(case: ServedCase, on: str) -> None:
    step(case, "demand")
    case.do("officer", "draft_demand", "submit", {"perform_by": "请自收到本催告书之日起十个工作日内履行。", "content": ""})
    case.do("chief", "approve_demand", "approve")
    case.run_jobs()
    case.do("officer", "choose_route", "submit", {"route": "offline"})
    served = {"mode": "direct", "direct_result": "signed", "receiver_kind": "representative", "receiver": "白晓棠", "signed_on": on}
    case.do("officer", "serve_offline", "submit", {**served, "receipt": case.proof(field="receipt")})


@pytest.mark.requirement("PEN-1139")
@pytest.mark.requirement("PEN-1202")
@pytest.mark.requirement("PEN-1291")
def test_the_court_is_asked_after_the_demand_and_the_term_within_three_months(case: ServedCase, clock: FixedClock) -> None:
    at(clock, 2027, 4, 1)
    step(case, "refresh")
    demand(case, "2027-04-01")
    assert execution(case)["demand_until"] == date(2027, 4, 15)
    with pytest.raises(Invalid, match="不满十个工作日"):
        step(case, "court")
    at(clock, 2027, 4, 16)
    with pytest.raises(Invalid, match="还没有届满"):
        step(case, "court")
    at(clock, 2027, 8, 21)
    with pytest.raises(Invalid, match="已经超过申请人民法院强制执行的三个月期限"):
        step(case, "court")
    at(clock, 2027, 5, 21)
    step(case, "court")
    subject = case.task("draft")
    assert subject["form"] == "penalty_execution.court_application"
    line = f"上海云浦麦浪食品有限公司，{execution(case)['paper']}，罚没款5000.00元，加处罚款5000.00元，欠缴10000.00元"
    case.do("officer", "draft", "submit", {"subject_line": line, "court": "上海铁路运输法院", "request": "罚款和加处罚款。", "facts_reason": "经催告仍不履行。"})
    case.approve(*CHAIN)
    assert execution(case)["state"] == "court"
    case.do("officer", "record_court", "submit", {"accepted_on": "2027-05-21", "result": "accepted"})
    case.do("officer", "record_court", "submit", {"accepted_on": "2027-05-21", "result": "executed"})
    assert (execution(case)["result"], case.waiting()) == ("人民法院强制执行", set())


def test_it_is_ended_with_the_head_of_the_agency_agreeing(case: ServedCase) -> None:
    step(case, "finish")
    with pytest.raises(Invalid) as refused:
        case.do("officer", "draft_end", "submit", {"ground": "performed", "reason": "已缴。"})
    assert "还有没缴的罚款" in refused.value.fields["ground"]
    case.do("officer", "draft_end", "submit", {"ground": "dissolved", "reason": "已注销，无财产可供执行。"})
    case.do("chief", "approve_end", "disapprove", opinion="请再查财产线索。")
    step(case, "finish")
    case.do("officer", "draft_end", "submit", {"ground": "dissolved", "reason": "已注销，查无财产。"})
    case.do("chief", "approve_end", "approve")
    assert (execution(case)["state"], case.waiting()) == ("ended", set())


def test_what_is_not_served_cannot_be_carried_out(case: ServedCase) -> None:
    paper = case.paper("coercive_measures.extension_decision")
    with pytest.raises(Invalid, match="还没有送达"):
        case.matter("officer", "penalty_execution.penalty_execution", {"document": paper, "party": case.parties["factory"], "fine": "100.00"})


@pytest.mark.requirement("PEN-1147")
@pytest.mark.requirement("PEN-1290")
def test_the_party_asks_for_instalments_on_its_page_and_reads_the_notice_there(case: ServedCase) -> None:
    factory = Outsider(case.app, name="白晓棠", identifier="110101199003070003")
    with case.app.db.begin() as connection:
        bind(connection, account_id=factory.account_id, party_id=UUID(case.parties["factory"]), how="representative", at=case.at)  # type: ignore[arg-type]
    apply = f"/party/tasks/{case.task('apply_deferral')['id']}"
    assert factory.act(apply, "submit", kind="instalment", hardship="停业整顿。").status_code == 422
    assert factory.act(apply, "submit", kind="instalment", instalments="2", first_due="2026-12-20", hardship="停业整顿，资金周转困难。").status_code == 303

    case.do("officer", "draft", "submit", {
        "request_line": "上海云浦麦浪食品有限公司申请分2期缴纳，第一期2026-12-20。理由：停业整顿，资金周转困难。", "kind": "instalment", "instalments": 2,
        "first_due": "2026-12-20", "hardship": "属实。",
    })
    case.approve(*CHAIN)
    case.run_jobs()
    case.do("officer", "choose_route", "submit", {"route": "offline"})
    case.do("officer", "serve_offline", "submit", {**SERVED, "signed_on": "2026-11-20", "receipt": case.proof(field="receipt")})
    assert [row["amount"] for row in case.records("penalty_execution__payment_schedule")] == [Decimal("2500.00")] * 2
    assert "延期、分期缴纳罚款通知书" in factory.get("/party").text
    assert case.waiting() == {"next_step"}
