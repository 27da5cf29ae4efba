"""A point is supervised by the city or its district; once it is found as replied it is among the closed ones."""
from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from engine.kernel.errors import Forbidden, Invalid, NotFound
from engine.kernel.ids import new_id
from engine.reporting.assessments.catalogue import get_assessment
from engine.reporting.statistics.periods import read_period
from engine.runtime.assessments.count import count_items
from engine.runtime.correct_submission import correct_submission
from engine.storage.tables.runtime import submission
from tests.packs.illegal_building.points import point, record, records, state
from tests.packs.oversight.orders import Overseer

PACK = "illegal_building_oversight"
ASSESSMENT = "illegal_building_assessment.demolition_assessment"
WAYS = {"city": ("city_works", "city_boss", "CG-A", "a_works"), "district": ("a_works", "a_boss", "CG-A-J1", "a1_street")}


def issued(walk: Overseer, level: str) -> Any:
    who, boss, target, _ = WAYS[level]
    id = point(walk)
    walk.start(who, f"{PACK}.{level}_oversight", {"point": str(id), "title": "西侧加建", "why": "市民多次反映。"})
    walk.do(who, "decide", "submit", walk.order(level=level, target=target))
    walk.do(boss, "sign", "issue")
    return id


@pytest.mark.requirement("CMD-017")
@pytest.mark.requirement("CMD-041")
@pytest.mark.parametrize("level", ["city", "district"])
def test_what_is_found_as_replied_is_closed_and_enters_the_closed_points(walk: Overseer, level: str) -> None:
    who, _, _, replier = WAYS[level]
    id = issued(walk, level)
    assert walk.holders("reply") == {replier}
    walk.reply(who=replier)
    walk.check("incomplete", who=who)
    assert record(walk, "illegal_building.point", id)["status"] == "open"
    _opinion_is_corrected_and_taken_out(walk, who)
    walk.reply(who=replier)
    walk.check("true", who=who)
    (closing,) = records(walk, "illegal_building.closing")
    assert (closing["point"], closing["way"], record(walk, "illegal_building.point", id)["status"], state(walk)) == (id, "supervised", "closed", "已办结")
    assert walk.record["bad_checks"] == 1 and walk.record["about"] == str(id)


def _opinion_is_corrected_and_taken_out(walk: Overseer, who: str) -> None:
    """What the check record says follows; what it led to (counted, urged) stays."""
    for opinion in ("补充：北侧残留两米。", None):
        with walk.app.db.connect() as connection:
            found = connection.execute(
                select(submission.c.id, submission.c.data).where(submission.c.case_id == walk.case_id, submission.c.node == "site_check", submission.c.superseded.is_(False))
            ).one()
        data = None if opinion is None else {**found.data, "opinion": opinion, "check_words": "残留北侧。"}
        correct_submission(walk.app, actor=walk.actor(who), submission_id=found.id, data=data, reason="看错了。", key=str(new_id()), at=walk.at)
        (kept,) = walk.table("oversight_check")
        assert (kept["opinion"], kept["finding"], kept["result"], kept["counted"]) == (opinion, opinion and "残留北侧。", "incomplete", True)
    assert walk.holders("reply")


def test_the_city_may_order_the_office_of_a_district_itself(walk: Overseer) -> None:
    walk.start("city_works", f"{PACK}.city_oversight", {"point": str(point(walk)), "title": "西侧加建", "why": "市民多次反映。"})
    walk.do("city_works", "decide", "submit", walk.order(level="listed", target="CG-A-CW"))
    walk.do("city_boss", "sign", "issue")
    assert walk.holders("reply") == {"a_works"}


def test_a_closed_point_is_not_supervised_and_streets_supervise_nobody(walk: Overseer) -> None:
    id = point(walk, status="closed")
    data = {"point": str(id), "title": "西侧加建", "why": "市民反映。"}
    with pytest.raises(Invalid):
        walk.start("city_works", f"{PACK}.city_oversight", data)
    for who, process in (("a1_street", "district_oversight"), ("a_works", "city_oversight"), ("city_works", "district_oversight")):
        with pytest.raises(Forbidden):
            walk.start(who, f"{PACK}.{process}", data)


@pytest.mark.requirement("CMD-012")
@pytest.mark.requirement("CMD-013")
@pytest.mark.requirement("CMD-014")
@pytest.mark.parametrize("level", ["city", "district"])
def test_what_is_decided_may_be_changed_is_ordered_on_paper_and_answered_to_who_ordered_it(walk: Overseer, level: str) -> None:
    who, boss, target, replier = WAYS[level]
    id = point(walk)
    walk.start(who, f"{PACK}.{level}_oversight", {"point": str(id), "title": "西侧加建", "why": "市民多次反映。"})
    walk.do(who, "decide", "submit", walk.order(level=level, target=target, days=10))
    walk.back(boss, "sign", "decide", "期限太长。")
    walk.do(who, "decide", "submit", {**walk.order(level=level, target=target, days=5), "subject": "西侧加建（违建）"})
    walk.do(boss, "sign", "issue")
    walk.run_jobs()
    (order,) = [one for one in walk.documents() if one["number"]]
    assert order["number"] == walk.record["number"] and order["sealed_sm3"] and walk.record["subject"] == "西侧加建（违建）"
    assert walk.holders("reply") == {replier} and str(walk.task("reply")["due_on"]) == "2026-11-27"
    with pytest.raises(NotFound):
        walk.do("b1_street", "reply", "submit", {"reply_kind": "final", "situation": "不归我。", "result": "无。"})
    with pytest.raises(Invalid):
        walk.do(replier, "reply", "submit", {"reply_kind": "final", "situation": "搭建约十八平方米。"})
    walk.reply(who=replier)
    assert (walk.record["reply"] or "").startswith("已经拆除") and walk.record["replied_on"] is not None
    assert walk.holders("site_check") == {who}


@pytest.mark.requirement("CMD-015")
@pytest.mark.requirement("CMD-016")
@pytest.mark.requirement("CMD-018")
@pytest.mark.parametrize("level", ["city", "district"])
def test_who_is_late_is_reminded_and_urged_and_what_is_not_so_counts_and_is_urged_again(walk: Overseer, level: str) -> None:
    who, _, _, replier = WAYS[level]
    id = issued(walk, level)
    for day in ("2026-12-01", "2026-12-03", "2026-12-04", "2026-12-07"):
        walk.wait_until(day)
    told = walk.notices(replier)
    assert [sum(word in text for text in told) for word in ("还剩三个工作日", "还剩一个工作日", "最后一天")] == [1, 1, 1]
    assert walk.holders("urge") == {who} and walk.record["late"] is True
    with pytest.raises(Forbidden):
        walk.do(replier, "urge", "urge", {"urge_words": "不急。", "days": 3})
    walk.do(who, "urge", "urge", {"urge_words": "请于三日内回复。", "days": 3})
    assert any("请于三日内回复" in text for text in walk.notices(replier))
    walk.reply(who=replier)
    walk.check("different", who=who)
    assert [(row["result"], row["counted"]) for row in walk.table("oversight_check")] == [("different", True)]
    assert [row["ground"] for row in walk.table("oversight_urge")] == ["late", "check"] and walk.waiting() == {"reply"}
    assert record(walk, "illegal_building.point", id)["status"] == "open"
    walk.reply(who=replier)
    walk.check("true", who=who)
    with walk.app.db.connect() as connection:
        counted = count_items(
            connection, library=walk.app.library, actor=walk.actor("city_works"), items=[one for one in get_assessment(walk.app.library, ASSESSMENT).items if one.key == "oversight"],
            period=read_period("2026"), units=[walk.bureau.units["CG-A"]],
        )
    told_of = {one["name"]: one["value"] for one in counted[walk.bureau.units["CG-A"], "oversight"].figures}
    assert told_of == {"issued": "1", "closed": "1", "late": "1", "bad": "1"} and state(walk) == "已办结"
