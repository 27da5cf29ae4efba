"""Coercive measures: ordered, executed, extended and released, each with its own clock and record."""
from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from engine.documents.queries import signatures_of
from engine.kernel.clock import SHANGHAI, FixedClock
from engine.kernel.errors import Invalid
from tests.packs.filed import CaseWalker

GOODS = [{"name": "吐司面包", "quantity": 18, "unit": "袋", "place": "所内仓库"}]
DETENTION: dict[str, Any] = {
    "kind": "detain_property", "measure_law": "seal_detain", "target": "超过保质期的吐司面包18袋", "basis": "《中华人民共和国食品安全法》第一百一十条第四项",
    "reason": "现场发现超过保质期的食品。", "goods": GOODS,
}
SPECIAL = {**DETENTION, "target": "原料库", "kind": "seal_premises", "measure_law": "special", "special_law": "（示例）某条例第十条"}
EXECUTED: dict[str, Any] = {"executed_on": "2026-11-20", "served_on": "2026-11-20", "situation": "当场清点、加封。", "goods": GOODS}
SERVED = {"served_on": "2026-11-20", "situation": "已送达。"}
FIRST, SECOND = "沪市监云强〔2026〕0001号", "沪市监云强〔2026〕0002号"
CHAIN = [("head", "office_review"), ("section_head", "section_head_review"), ("chief", "agency_approval")]


def order(case: CaseWalker, data: dict[str, Any] = DETENTION, executed: dict[str, Any] = EXECUTED) -> None:
    case.matter("officer", "coercive_measures.coercive_measure", data)
    case.approve()
    case.served()
    case.do("officer", "record_execution", "submit", executed)


def choose(case: CaseWalker, process: str, number: str = FIRST) -> None:
    case.matter("officer", f"coercive_measures.{process}", {"measure_number": number})


def extension(number: str = FIRST, days: int = 30) -> dict[str, Any]:
    return {"measure_number": number, "extension_days": days, "reason": "检验结果尚未出来。"}


def release(number: str = FIRST) -> dict[str, Any]:
    return {"measure_number": number, "ground": "decided", "reason": "已作出处理决定。", "disposal": "退还当事人。"}


def papers(case: CaseWalker) -> list[Any]:
    """Documents of this pack; not the receipts of service."""
    return [one for one in case.documents() if one["template"].startswith("coercive_measures.")]


def lives(case: CaseWalker) -> dict[str, tuple[str, date]]:
    return {row["clock"]: (row["state"], row["due_on"]) for row in case.clocks() if row["clock"].startswith("coercive_measures.")}


def test_an_executed_measure_has_decision_clock_and_record_with_its_goods(case: CaseWalker) -> None:
    order(case)

    assert lives(case) == {f"coercive_measures.seal_detain/{FIRST}": ("running", date(2026, 12, 21))}
    assert case.clock_row(f"coercive_measures.seal_detain/{FIRST}")["title"] == f"查封、扣押期限（{FIRST}）"
    (row,) = case.records("coercive_measures__coercive_measure")
    assert (row["number"], row["kind"], row["state"], row["executed_on"], row["until"]) == (FIRST, "detain_property", "in_force", date(2026, 11, 20), date(2026, 12, 21))
    assert [item["name"] for item in row["goods"]] == ["吐司面包"]
    assert {paper["number"] for paper in papers(case)} == {"沪市监云强审〔2026〕0001号", FIRST}
    assert case.waiting() == set()


def test_the_law_chooses_fifteen_or_thirty_days_and_two_measures_run_side_by_side(case: CaseWalker) -> None:
    order(case)
    order(case, SPECIAL)

    assert lives(case) == {
        f"coercive_measures.seal_detain/{FIRST}": ("running", date(2026, 12, 21)), f"coercive_measures.special/{SECOND}": ("running", date(2026, 12, 7)),
    }
    assert [row["number"] for row in case.records("coercive_measures__coercive_measure")] == [FIRST, SECOND]


@pytest.mark.parametrize(("changed", "field"), [({"kind": "freeze"}, "measure_law"), ({"measure_law": "freeze"}, "measure_law"), ({"measure_law": "special"}, "special_law")])
def test_the_law_must_fit_the_measure(case: CaseWalker, changed: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        case.matter("officer", "coercive_measures.coercive_measure", {**DETENTION, **changed})
    assert set(refused.value.fields) == {field}


def test_a_measure_taken_on_the_spot_counts_from_that_day(case: CaseWalker, clock: FixedClock) -> None:
    clock.set(datetime(2026, 11, 23, 9, tzinfo=SHANGHAI))

    order(case, {**DETENTION, "urgent": True}, {**EXECUTED, "executed_on": "2026-11-22"})

    assert lives(case) == {f"coercive_measures.seal_detain/{FIRST}": ("running", date(2026, 12, 22))}


@pytest.mark.parametrize("process", ["coercive_measure", "coercive_extension", "coercive_release"])
def test_every_return_goes_to_the_officer_and_a_refusal_ends_it(case: CaseWalker, process: str) -> None:
    data = {"coercive_measure": DETENTION, "coercive_extension": extension(), "coercive_release": release()}[process]
    if process == "coercive_measure":
        case.matter("officer", "coercive_measures.coercive_measure", data)
    else:
        order(case)
        choose(case, process)
        case.do("officer", "draft", "submit", data)
    before = lives(case)
    for number, (login, node) in enumerate(CHAIN):
        case.approve(*CHAIN[:number]) if number else None
        assert [target.node for target in case.targets(login, node)] == ["draft"]
        case.back(login, node, "draft")
        assert (case.waiting(), case.holders("draft")) == ({"draft"}, {"officer"})
        case.do("officer", "draft", "submit", data)
    case.to_the_chief()

    case.do("chief", "agency_approval", "disapprove", opinion="不符合规定。")

    assert (case.waiting(), lives(case)) == (set(), before)


def test_an_approved_extension_moves_the_clock_and_the_record(case: CaseWalker) -> None:
    order(case)
    choose(case, "coercive_extension")
    case.do("officer", "draft", "submit", extension())
    case.approve()
    case.served()
    case.do("officer", "record_execution", "submit", SERVED)

    # 30 days to Sunday 20 December, 30 more to Tuesday 19 January.
    assert lives(case) == {f"coercive_measures.seal_detain/{FIRST}": ("running", date(2027, 1, 19))}
    (row,) = case.records("coercive_measures__coercive_measure")
    assert (row["state"], row["until"]) == ("extended", date(2027, 1, 19))
    assert "沪市监云强延〔2026〕0001号" in {paper["number"] for paper in papers(case)}
    with pytest.raises(Invalid, match="没有可以延期的强制措施"):
        choose(case, "coercive_extension")


def test_only_a_measure_in_force_of_this_case_is_extended_and_by_thirty_days_at_most(case: CaseWalker) -> None:
    with pytest.raises(Invalid, match="没有可以延期的强制措施"):
        choose(case, "coercive_extension")
    order(case)
    with pytest.raises(Invalid) as refused:
        choose(case, "coercive_extension", SECOND)
    assert set(refused.value.fields) == {"measure_number"}
    choose(case, "coercive_extension")
    for data, field in ((extension(days=31), "extension_days"), (extension(SECOND), "measure_number")):
        with pytest.raises(Invalid) as refused:
            case.do("officer", "draft", "submit", data)
        assert set(refused.value.fields) == {field}


def test_a_measure_that_ran_out_is_released_but_not_extended(case: CaseWalker, clock: FixedClock) -> None:
    order(case)
    clock.set(datetime(2026, 12, 22, 9, tzinfo=SHANGHAI))
    with pytest.raises(Invalid, match="期限已经届满"):
        choose(case, "coercive_extension")

    choose(case, "coercive_release")
    assert case.waiting() == {"draft"}


def test_a_release_ends_the_clock_of_that_measure_only(case: CaseWalker, clock: FixedClock) -> None:
    order(case)
    order(case, SPECIAL)
    choose(case, "coercive_release", SECOND)
    case.do("officer", "draft", "submit", release(SECOND))
    case.approve()
    case.served()
    assert lives(case)[f"coercive_measures.special/{SECOND}"][0] == "running"

    case.do("officer", "record_execution", "submit", {**SERVED, "released_on": "2026-11-20"})

    assert {name: state for name, (state, _) in lives(case).items()} == {f"coercive_measures.seal_detain/{FIRST}": "running", f"coercive_measures.special/{SECOND}": "met"}
    kept, over = case.records("coercive_measures__coercive_measure")
    assert (kept["state"], over["state"], over["released_on"]) == ("in_force", "released", date(2026, 11, 20))
    with pytest.raises(Invalid):
        choose(case, "coercive_release", SECOND)


@pytest.mark.requirement("PEN-1185", "PEN-1186", "PEN-1187")
@pytest.mark.parametrize("process", ["coercive_measure", "coercive_extension", "coercive_release"])
def test_the_form_is_signed_by_all_four_and_the_decision_sealed(case: CaseWalker, process: str) -> None:
    order(case)
    if process != "coercive_measure":
        choose(case, process)
        case.do("officer", "draft", "submit", extension() if process == "coercive_extension" else release())
        case.approve()
    case.run_jobs()

    form, decision = papers(case)[-2:]
    with case.app.db.connect() as connection:
        signed, sealed = (signatures_of(connection, document_id=paper["id"], rev=paper["rev"]) for paper in (form, decision))
    assert sorted(one.anchor for one in signed) == sorted(["draft", "office_review", "section_head_review", "agency_approval", "seal"])
    assert [one.seal_title for one in sealed] == ["公章"]
    assert bool(form["sealed_sm3"]) and bool(decision["sealed_sm3"])
