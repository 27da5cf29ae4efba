"""What an approved matter does to the clock, the state, the unit and the records of the case."""
from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from engine.access.scope import may_see_case
from engine.documents.queries import signatures_of
from engine.kernel.clock import FixedClock
from engine.kernel.errors import Invalid
from engine.storage.tables.registers import record_history
from tests.packs.case_matters.answers import REASON, application, day, hand_in, to_the_chief_by_dispatch
from tests.packs.filed import CaseWalker

DISCUSSED = {"extension_days": 52, "discussed_on": "2026-11-20", "participants": "局长、副局长、法制科科长", "discussion": "继续延长五十二日。"}
HANDLING = "case_filing.case_handling"


@pytest.mark.requirement("PEN-1176")
def test_the_chief_confirms_an_extension_by_approving_it(case: CaseWalker) -> None:
    assert case.due() == date(2027, 2, 18)
    hand_in(case, "case_extension")
    case.to_the_chief()

    done = case.do("chief", "agency_approval")

    # 90 days to 18 February, 30 more to Saturday 20 March, on to Monday; nobody else has to confirm anything.
    assert (done.completed, case.due(), case.waiting()) == (True, date(2027, 3, 22), set())


@pytest.mark.requirement("PEN-1176")
def test_an_extension_is_thirty_days_at_most_and_once(case: CaseWalker) -> None:
    with pytest.raises(Invalid) as refused:
        case.matter("officer", "case_matters.case_extension", {"extension_days": 31, **REASON})
    assert refused.value.fields == {"extension_days": "延长的日数超过了规定的上限，请改小。"}
    hand_in(case, "case_extension")
    case.approve()

    with pytest.raises(Invalid, match="继续延长办案期限"):
        hand_in(case, "case_extension")


def test_an_extension_after_the_last_day_is_refused(case: CaseWalker, clock: FixedClock) -> None:
    clock.set(day(2, 19, 2027))
    with pytest.raises(Invalid, match="已于2027-02-18届满"):
        hand_in(case, "case_extension")


@pytest.mark.requirement("PEN-1177")
def test_a_further_extension_waits_for_the_officers_confirmation_with_the_discussion(case: CaseWalker) -> None:
    hand_in(case, "case_further_extension")
    case.approve()
    assert (case.waiting(), case.holders("confirm"), case.due()) == ({"confirm"}, {"officer"}, date(2027, 3, 22))
    with pytest.raises(Invalid) as refused:
        case.do("officer", "confirm", "confirm", {"extension_days": 45})
    assert set(refused.value.fields) == {"discussed_on", "participants", "discussion"}

    case.do("officer", "confirm", "confirm", DISCUSSED)

    # 52 days more, as the discussion decided, from 20 March on.
    assert (case.waiting(), case.due()) == (set(), date(2027, 5, 11))


@pytest.mark.requirement("PEN-1177")
def test_without_discussion_the_officer_confirms_at_once(case: CaseWalker) -> None:
    hand_in(case, "case_extension")
    case.approve()
    case.matter("officer", "case_matters.case_further_extension", {"extension_days": 60, "collective_discussion": False, **REASON})
    case.approve()

    case.do("officer", "confirm", "confirm", {"extension_days": 60})

    assert case.due() == date(2027, 5, 19)


@pytest.mark.requirement("PEN-1177")
def test_a_discussion_that_says_no_leaves_the_clock(case: CaseWalker) -> None:
    hand_in(case, "case_further_extension")
    case.approve()

    case.do("officer", "confirm", "decline", {**DISCUSSED, "extension_days": None, "discussion": "不再延长。"}, opinion="集体讨论认为不应再延长。")

    assert (case.waiting(), case.due()) == (set(), date(2027, 3, 22))


def test_a_further_extension_needs_a_first_one(case: CaseWalker) -> None:
    with pytest.raises(Invalid, match="还没有延期过"):
        case.matter("officer", "case_matters.case_further_extension", application(case, "case_further_extension"))


@pytest.mark.requirement("PEN-1178")
@pytest.mark.requirement("PEN-1179")
def test_the_clock_stands_still_between_suspension_and_resumption(case: CaseWalker, clock: FixedClock) -> None:
    clock.set(day(11, 23))
    hand_in(case, "case_suspend")
    case.approve()
    assert (case.case()["state_title"], case.clock_row(HANDLING)["state"], case.due()) == ("期限暂停", "suspended", None)

    clock.set(day(11, 30))
    case.matter("officer", "case_matters.case_resume", {"ended_on": "2026-11-30", **REASON})
    case.approve()

    # Seven days, 23 to 29 November, do not count.
    assert (case.case()["state_title"], case.due()) == ("调查中", date(2027, 2, 25))


def test_suspension_extension_and_a_halt_add_up(case: CaseWalker, clock: FixedClock) -> None:
    hand_in(case, "case_extension")
    case.approve()
    clock.set(day(11, 23))
    hand_in(case, "case_suspend")
    case.approve()
    clock.set(day(11, 30))
    case.matter("officer", "case_matters.case_resume", {"ended_on": "2026-11-30", **REASON})
    case.approve()
    clock.set(day(12, 1))
    hand_in(case, "investigation_suspend")
    case.approve()
    clock.set(day(12, 11))
    case.matter("officer", "case_matters.investigation_resume", {**application(case, "investigation_resume"), "ended_on": "2026-12-11"})
    to_the_chief_by_dispatch(case)
    case.do("chief", "agency_approval")

    # 18 February, 7 and 10 days standing still: 7 March; 30 more: 6 April.
    assert case.due() == date(2027, 4, 6)


@pytest.mark.requirement("PEN-1182")
@pytest.mark.requirement("PEN-1183")
@pytest.mark.requirement("PEN-1189")
def test_an_investigation_is_halted_and_goes_on_at_once_when_approved(case: CaseWalker) -> None:
    hand_in(case, "investigation_suspend")
    case.approve()
    assert (case.case()["state_title"], case.due()) == ("中止调查", None)
    with pytest.raises(Invalid) as refused:
        case.matter("officer", "case_matters.investigation_resume", {**application(case, "investigation_resume"), "proof": []})
    assert set(refused.value.fields) == {"proof"}

    case.matter("officer", "case_matters.investigation_resume", application(case, "investigation_resume"))
    to_the_chief_by_dispatch(case)
    case.do("chief", "agency_approval")

    assert (case.case()["state_title"], case.due(), case.waiting()) == ("调查中", date(2027, 2, 18), set())


@pytest.mark.requirement("PEN-1181")
def test_a_terminated_investigation_closes_the_case(case: CaseWalker) -> None:
    hand_in(case, "investigation_terminate")
    case.approve()

    ended = case.case()
    assert (ended["state_title"], ended["closed_at"], case.clock_row(HANDLING)["state"]) == ("终止调查", case.at, "met")


@pytest.mark.requirement("PEN-1180")
def test_a_case_changes_hands_with_its_record_and_clock(case: CaseWalker) -> None:
    hand_in(case, "change_handling_office")
    case.approve()

    there = case.bureau.units["station_two"]
    moved = case.case()
    assert (moved["unit_id"], moved["handler_id"]) == (there, None)
    assert {case.clock_row(HANDLING)["unit_id"], case.records("case_filing__penalty_case")[0]["unit_id"]} == {there}
    assert case.holders("appoint") == {"other_head"}
    with pytest.raises(Invalid, match="不能承办本案"):
        case.do("other_head", "appoint", "submit", {"handler": str(case.actor("officer").person_id)})
    case.do("other_head", "appoint", "submit", {"handler": str(case.actor("other_officer").person_id)})
    assert case.case()["handler_id"] == case.actor("other_officer").person_id
    case.matter("other_officer", "case_matters.case_extension", application(case, "case_extension"))
    assert case.holders("office_review") == {"other_head"}


@pytest.mark.requirement("PEN-1180")
def test_a_clue_changes_hands_with_the_step_that_waits(case: CaseWalker) -> None:
    case.start("officer", "case_filing.clue_intake", {
        "source": "complaint", "received_on": "2026-11-19", "title": "反映销售过期蛋糕", "content": "附小票。", "reporter_kind": "none",
    })
    hand_in(case, "change_handling_office")
    case.approve()
    case.do("other_head", "appoint", "submit", {"handler": str(case.actor("other_officer").person_id)})

    assert (case.case()["unit_id"], case.holders("verify")) == (case.bureau.units["station_two"], {"other_officer"})


def test_the_case_does_not_go_where_it_is(case: CaseWalker) -> None:
    with pytest.raises(Invalid) as refused:
        case.matter("officer", "case_matters.change_handling_office", {"to_unit": str(case.bureau.units["station_one"]), **REASON})
    assert refused.value.fields == {"to_unit": "这就是现在的办案机构，请选另一个。"}


@pytest.mark.requirement("PEN-1184")
def test_a_deferral_stands_in_the_publicity_register(case: CaseWalker) -> None:
    hand_in(case, "publicity_deferral")
    case.approve()

    (row,) = case.records("case_matters__publicity")
    assert (row["deferred"], row["deferred_on"], row["deferred_until"], row["approval_number"]) == (True, date(2026, 11, 20), date(2027, 3, 1), "沪市监云案审〔2026〕0001号")


@pytest.mark.requirement("PEN-1188")
def test_an_approved_request_for_help_becomes_a_letter_that_is_served_and_then_recorded(case: CaseWalker) -> None:
    hand_in(case, "assist_investigation")
    case.approve()
    case.run_jobs()

    letter = next(one for one in case.documents() if one["template"] == "case_matters.assist_letter")
    assert (letter["state"], letter["number"], bool(letter["sealed_sm3"])) == ("issued", "沪市监云协〔2026〕0001号", True)
    with case.app.db.connect() as connection:
        approval = next(one for one in case.documents() if one["template"] == "case_matters.assist_approval")
        assert {one.anchor for one in signatures_of(connection, document_id=approval["id"], rev=approval["rev"])} == {
            "draft", "office_review", "section_head_review", "agency_approval", "seal"}
    # The other authority is no party: it has no page to sign on, and nobody announces a letter to it.
    assert (case.waiting(), case.holders("serve_offline")) == ({"serve_offline"}, {"officer"})
    with pytest.raises(Invalid):
        case.do("officer", "serve_offline", "unreachable", opinion="找不到。")
    case.do("officer", "serve_offline", "submit", {
        "mode": "mailed", "carrier": "中国邮政", "tracking_number": "EB1", "posted_on": "2026-11-20", "mail_result": "received", "received_on": "2026-11-20",
        "receipt": case.proof(field="receipt"),
    })
    (service,) = case.records("serving_documents__service_record")
    assert (service["party"], service["party_id"], service["served_on"]) == ("苏州市市场监督管理局", None, date(2026, 11, 20))
    assert next(one for one in case.documents() if one["template"] == "case_matters.assist_letter")["state"] == "served"
    assert case.holders("record_execution") == {"officer"}
    case.do("officer", "record_execution", "submit", {"sent_on": "2026-11-20", "result": "对方已复函。"})
    assert case.waiting() == set()


@pytest.mark.requirement("PEN-1196")
def test_another_matter_ends_with_the_chiefs_word_that_all_who_took_part_see(case: CaseWalker) -> None:
    hand_in(case, "other_matter_approval")
    assert [target.node for target in case.targets("head", "office_review")] == ["draft"]
    case.do("head", "office_review")
    assert [target.node for target in case.targets("section_head", "section_head_review")] == ["draft"]
    case.do("section_head", "section_head_review")
    assert case.targets("chief", "agency_approval") == []
    with pytest.raises(Invalid, match="没有可以退回的地方"):
        case.back("chief", "agency_approval", "draft")

    case.do("chief", "agency_approval", "disapprove", opinion="不符合规定。")

    assert case.acts()[-1]["outcome_title"] == "不同意"
    assert any("不同意" in text for text in case.notices("officer"))
    assert case.case_id is not None
    with case.app.db.connect() as connection:
        assert all(may_see_case(connection, case.actor(login), case.case_id) for login in ("officer", "head", "section_head", "chief"))


@pytest.mark.requirement("PEN-1191")
def test_a_correction_takes_effect_when_the_head_has_checked_it_and_history_keeps_the_old_values(case: CaseWalker) -> None:
    hand_in(case, "data_correction")
    to_the_chief_by_dispatch(case)
    case.do("chief", "agency_approval")
    assert any("数据修改申请已获批准" in text for text in case.notices("officer"))
    assert case.holders("enter") == {"officer"}

    case.do("officer", "enter", "submit", {"cause": "销售不合格产品", "domain": "product_quality"})
    assert case.records("case_filing__penalty_case")[0]["cause"] == "经营超过保质期的食品"
    case.back("head", "verify", "enter", why="案由再核对一下。")
    case.do("officer", "enter", "submit", {"cause": "销售不合格的产品", "domain": "product_quality"})
    case.do("head", "verify", "confirm")

    (row,) = case.records("case_filing__penalty_case")
    assert (row["cause"], row["domain"], row["violation"], case.case()["title"]) == ("销售不合格的产品", "product_quality", "food_expired", "销售不合格的产品")
    assert corrections(case) == [{"cause": ["经营超过保质期的食品", "销售不合格的产品"], "domain": ["food_safety", "product_quality"]}]


@pytest.mark.requirement("PEN-1191")
def test_only_what_was_granted_is_corrected(case: CaseWalker) -> None:
    hand_in(case, "data_correction")
    to_the_chief_by_dispatch(case)
    case.do("chief", "agency_approval")

    for data, field in (({"cause": "销售不合格的产品"}, "domain"), ({"cause": "甲", "domain": "product_quality", "source": "complaint"}, "source")):
        with pytest.raises(Invalid) as refused:
            case.do("officer", "enter", "submit", data)
        assert set(refused.value.fields) == {field}
    assert case.waiting() == {"enter"}


def corrections(case: CaseWalker) -> list[dict[str, Any]]:
    with case.app.db.connect() as connection:
        rows = connection.execute(record_history.select().where(record_history.c.record_id == case.case_id).order_by(record_history.c.at, record_history.c.id))
        return [row.changes for row in rows][1:]
