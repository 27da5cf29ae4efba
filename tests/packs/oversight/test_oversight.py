"""督办 from the order to 核查属实: every path, every refusal."""
from __future__ import annotations

from typing import Any

import pytest

from engine.kernel.errors import GuichengError, Invalid
from tests.packs.oversight.orders import PROCESS, Overseer


def test_an_order_is_issued_sealed_and_sent_with_its_term(walk: Overseer) -> None:
    walk.issued()
    (paper,) = walk.documents()
    assert (paper["number"], paper["state"]) == ("沪城管督〔2026〕1号", "issued")
    assert walk.record["number"] == paper["number"]
    assert (walk.record["state"], str(walk.record["reply_by"]), str(walk.record["issued_on"])) == ("waiting", "2026-12-04", "2026-11-20")
    assert walk.waiting() == {"reply"}
    assert walk.holders("reply") == {"b_staff"}
    assert str(walk.task("reply")["due_on"]) == "2026-12-04"
    assert walk.case()["title"] == "长乐路 12 号屋顶搭建"


def test_a_check_that_finds_it_true_closes_it(walk: Overseer) -> None:
    walk.replied()
    assert walk.record["state"] == "checking"
    assert walk.holders("site_check") == {"city_staff"}
    walk.check("true")
    assert (walk.record["state"], str(walk.record["closed_on"]), walk.record["bad_checks"]) == ("closed", "2026-11-20", 0)
    assert walk.case()["state"] == "closed"
    (check,) = walk.table("oversight_check")
    assert (check["result"], check["counted"], check["checkers"], check["target"]) == ("true", False, "闻人越、司马青", walk.bureau.units["CG-B"])
    assert any("核查属实" in text for text in walk.notices("b_staff"))


@pytest.mark.parametrize("found", ["incomplete", "different"])
def test_a_check_that_does_not_counts_and_urges_and_begins_anew(walk: Overseer, found: str) -> None:
    walk.replied()
    walk.check(found)
    assert [(row["result"], row["counted"]) for row in walk.table("oversight_check")] == [(found, True)]
    assert [(row["number"], row["ground"]) for row in walk.table("oversight_urge")] == [(1, "check")]
    assert any("再行催办" in text for text in walk.notices("b_staff"))
    assert walk.waiting() == {"reply"}
    assert str(walk.task("reply")["due_on"]) == "2026-11-27"
    walk.reply()
    walk.check(found)
    walk.reply()
    walk.check("true")
    assert (walk.record["bad_checks"], walk.record["urges"], walk.record["state"]) == (2, 2, "closed")
    assert [row["counted"] for row in walk.table("oversight_check")] == [True, True, False]


def test_what_is_sent_back_from_the_check_is_not_counted(walk: Overseer) -> None:
    walk.replied()
    walk.do("city_staff", "site_check", "send_back", {"days": 3}, opinion="没有附现场照片。")
    assert walk.waiting() == {"reply"}
    assert str(walk.task("reply")["due_on"]) == "2026-11-25"
    assert (walk.table("oversight_check"), walk.record["bad_checks"]) == ([], 0)


def test_an_opinion_is_read_and_given_a_term_or_sent_back_or_checked(walk: Overseer) -> None:
    walk.replied("opinion")
    assert walk.waiting() == {"receive"}
    walk.do("city_staff", "receive", "accept", {"days": 20})
    assert str(walk.task("reply")["due_on"]) == "2026-12-18"
    walk.reply("opinion")
    walk.do("city_staff", "receive", "send_back", {"days": 5}, opinion="没有说怎样处置。")
    walk.reply("opinion")
    walk.do("city_staff", "receive", "check", {"days": 5})
    walk.check("true")
    assert walk.record["state"] == "closed"


def test_the_days_before_the_end_are_reminded_of(walk: Overseer) -> None:
    walk.issued()
    for day in ("2026-12-01", "2026-12-03", "2026-12-04"):
        walk.wait_until(day)
    told = walk.notices("b_staff")
    assert [sum(word in text for text in told) for word in ("还剩三个工作日", "还剩一个工作日", "最后一天")] == [1, 1, 1]
    assert walk.waiting() == {"reply"}
    walk.wait_until("2026-12-05", hour=1)
    assert any("逾期未回复" in text for text in walk.notices("b_staff"))


def test_who_is_late_is_urged_until_the_reply_comes(walk: Overseer) -> None:
    walk.issued()
    walk.wait_until("2026-12-07")
    assert walk.waiting() == {"reply", "urge"}
    assert walk.holders("urge") == {"city_staff"}
    assert (walk.record["state"], walk.record["late"]) == ("late", True)
    walk.do("city_staff", "urge", "urge", {"urge_words": "请于三日内回复。", "days": 3})
    assert walk.waiting() == {"reply"}
    assert str(walk.task("reply")["due_on"]) == "2026-12-10"
    assert (walk.record["state"], walk.record["urges"]) == ("urged", 1)
    assert "长乐路 12 号屋顶搭建：催办：请于三日内回复。" in walk.notices("b_staff")
    walk.wait_until("2026-12-11")
    assert walk.waiting() == {"reply", "urge"}
    walk.reply()
    assert walk.waiting() == {"site_check"}
    walk.check("true")
    assert [(row["number"], row["ground"]) for row in walk.table("oversight_urge")] == [(1, "late")]
    assert (walk.record["late"], walk.record["state"]) == (True, "closed")


def test_the_supervisor_may_wait_or_stop_urging(walk: Overseer) -> None:
    walk.issued()
    walk.wait_until("2026-12-07")
    with pytest.raises(Invalid):
        walk.do("city_staff", "urge", "wait", {"days": 2}, opinion="")
    walk.do("city_staff", "urge", "wait", {"days": 2}, opinion="已经电话说明。")
    assert (walk.record["urges"], str(walk.record["reply_by"])) == (0, "2026-12-09")
    walk.wait_until("2026-12-10")
    walk.do("city_staff", "urge", "stop", {"days": 2}, opinion="当事人正在诉讼。")
    walk.wait_until("2026-12-31")
    assert walk.waiting() == {"reply"}
    walk.reply()
    assert walk.waiting() == {"site_check"}


def test_what_is_not_done_within_its_term_is_urged_too(walk: Overseer) -> None:
    walk.replied("opinion")
    walk.do("city_staff", "receive", "accept", {"days": 5})
    walk.wait_until("2026-11-28")
    assert walk.waiting() == {"reply", "urge"}


def test_who_signs_may_return_it_and_the_supervisor_may_give_it_up(walk: Overseer) -> None:
    walk.start("city_staff", PROCESS, walk.order())
    with pytest.raises(GuichengError):
        walk.do("city_head", "sign", "issue")
    walk.back("city_boss", "sign", "decide", "期限太长。")
    walk.do("city_staff", "decide", "submit", walk.order(days=5))
    walk.do("city_boss", "sign", "issue")
    assert str(walk.task("reply")["due_on"]) == "2026-11-27"
    walk.start("city_staff", PROCESS, walk.order())
    walk.back("city_boss", "sign", "decide", "不必督办。")
    walk.do("city_staff", "decide", "cancel", walk.order(), opinion="已经处置。")
    assert (walk.case()["state"], walk.table("oversight_case")) == ("declined", [])


def test_a_district_orders_its_own_units(walk: Overseer) -> None:
    walk.issued(who="a_staff", chief="a_boss", level="district", target="CG-A-1")
    assert walk.holders("reply") == {"a1_head"}
    assert [row["number"] for row in walk.documents()] == ["沪城管云督〔2026〕1号"]
    walk.reply(who="a1_head")
    assert walk.holders("site_check") == {"a_staff"}


@pytest.mark.parametrize(
    ("who", "order", "field"),
    [
        ("a_staff", {"level": "city", "target": "CG-A-1"}, "level"), ("city_staff", {"level": "district"}, "level"), ("a_staff", {"level": "district", "target": "CG-B-1"}, "target"),
        ("a_staff", {"level": "listed", "target": "CG-B"}, "target"), ("city_staff", {"days": 0}, "days"), ("city_staff", {"demand": ""}, "demand"),
    ],
)
def test_an_order_that_is_not_ones_to_give_is_refused(walk: Overseer, who: str, order: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        walk.start(who, PROCESS, walk.order(**order))
    assert set(refused.value.fields) == {field}


def test_both_may_list_an_order_and_both_may_hang_it_out(walk: Overseer) -> None:
    walk.issued(level="listed")
    assert walk.record["level"] == "listed"
    walk.issued(who="a_staff", chief="a_boss", level="listed", target="CG-A-2")
    assert walk.holders("reply") == {"a2_head"}


def test_others_neither_start_nor_reply_nor_check(walk: Overseer) -> None:
    with pytest.raises(GuichengError):
        walk.start("a1_officer", PROCESS, walk.order())
    walk.issued()
    with pytest.raises(GuichengError):
        walk.reply(who="a_staff")
    walk.reply()
    with pytest.raises(GuichengError):
        walk.check("true", who="b_staff")


def test_an_order_about_a_case_is_linked_with_it(walk: Overseer) -> None:
    walk.start("city_staff", PROCESS, walk.order())
    other = walk.case_id
    walk.issued(about_case=str(other))
    assert walk.links() == {"related": other}
    assert walk.record["about"] == str(other)
