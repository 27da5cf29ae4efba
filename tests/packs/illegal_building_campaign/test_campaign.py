"""Points are narrowed by topic and sent to their streets; district and city review, and what they send back returns to the street."""
from __future__ import annotations

from typing import Any

import pytest

from engine.kernel.errors import Forbidden
from tests.packs.illegal_building.points import items, point, record, records, state
from tests.packs.walk import Walker

PACK = "illegal_building_campaign"


def begin(walk: Walker, kind: str, **changes: Any) -> None:
    walk.start("city_works", f"{PACK}.campaign", {"title": "专项整治", "kind": kind, "until": "2026-12-31", "demand": "逐处整治。", **changes})


@pytest.mark.parametrize(("kind", "sent"), [("low_efficiency", 1), ("villa", 2), ("two_old_one_village", 1), ("verification", 5)])
def test_each_campaign_takes_the_points_of_its_topic(walk: Walker, kind: str, sent: int) -> None:
    for topics in (["low_efficiency"], ["villa"], ["low_rise", "key_area"], ["two_old_one_village"], None):
        point(walk, topics=topics)
    point(walk, topics=["low_efficiency", "villa", "two_old_one_village"], status="closed")
    begin(walk, kind)
    assert (len(items(walk)), state(walk)) == (sent, "整治中")


def test_a_campaign_without_points_lets_one_change_its_conditions(walk: Walker) -> None:
    begin(walk, "villa")
    assert walk.holders("choose") == {"city_works"}


def test_street_district_and_city_in_turn_and_every_return_goes_to_the_street(walk: Walker) -> None:
    id = point(walk, topics=["villa"])
    begin(walk, "villa")
    parent = walk.case_id
    (walk.case_id,) = items(walk)
    answer = {"result": "removed", "done_on": "2026-11-20", "area": 20, "words": "已拆除。"}
    for reviewer in (("a_chief", "district_review"), ("city_chief", "city_review")):
        assert walk.holders("submit_result") == {"a1_street"}
        walk.do("a1_street", "submit_result", "submit", answer)
        if reviewer[1] == "city_review":
            walk.do("a_chief", "district_review")
        walk.do(*reviewer, "send_back", opinion="补充照片。")
    walk.do("a1_street", "submit_result", "submit", answer)
    walk.do("a_chief", "district_review")
    assert records(walk, f"{PACK}.rectification") == []
    walk.do("city_chief", "city_review")
    walk.run_jobs()
    walk.case_id = parent
    (kept,) = records(walk, f"{PACK}.rectification")
    assert (kept["point"], kept["kind"], kept["result"], kept["unit_id"], state(walk)) == (id, "villa", "removed", walk.bureau.units["CG-A-J1"], "已办结")
    assert record(walk, "illegal_building.point", id)["verified_on"] is not None


def test_only_the_city_begins_a_campaign(walk: Walker) -> None:
    with pytest.raises(Forbidden):
        walk.start("a_works", f"{PACK}.campaign", {"title": "整治", "kind": "villa", "until": "2026-12-31", "demand": "整治。"})
