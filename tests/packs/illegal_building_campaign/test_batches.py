"""Each campaign whole: points narrowed (low-efficiency land from the planning bureau's feed), streets submit, both levels review in batches, the list goes out."""
from __future__ import annotations

from typing import Any

import pytest

from engine.runtime.exchange.run_exchange import run_exchange
from tests.packs.illegal_building.points import items, point, records
from tests.packs.illegal_building.test_exchange import kept, outside
from tests.packs.illegal_building_campaign.test_campaign import PACK, begin
from tests.packs.illegal_building_deferral.test_deferral import exported, many
from tests.packs.walk import Walker

__all__ = ["outside"]
FEED = f"{PACK}.land_parcels"
SQUARE = {"type": "Polygon", "coordinates": [[[121.44, 31.22], [121.45, 31.22], [121.45, 31.23], [121.44, 31.23], [121.44, 31.22]]]}


def work_through(walk: Walker) -> None:
    parent, sent = walk.case_id, items(walk)
    assert len(sent) == 2
    for walk.case_id in sent:
        walk.do("a1_street", "submit_result", "submit", {"result": "removed", "done_on": "2026-11-20", "area": 20, "words": "已拆除。"})
    many(walk, "a_chief", "district_review")
    many(walk, "city_chief", "city_review")
    assert len(records(walk, f"{PACK}.rectification")) == 2
    assert exported(walk, "city_works", f"{PACK}.rectification") > 1000
    walk.case_id = parent


@pytest.mark.requirement("CMD-046", "CMD-047", "CMD-052")
@pytest.mark.parametrize(("kind", "topics"), [("villa", (["villa"], ["low_rise"])), ("two_old_one_village", (["two_old_one_village"], ["two_old_one_village"])), ("verification", (None, None))])
def test_points_are_narrowed_submitted_reviewed_in_batches_and_exported(walk: Walker, kind: str, topics: Any) -> None:
    for one in topics:
        point(walk, topics=one)
    if kind != "verification":
        point(walk, topics=["key_area"])
    begin(walk, kind, basis="三年行动计划")
    work_through(walk)
    assert records(walk, f"{PACK}.campaign")[0]["basis"] == "三年行动计划"


@pytest.mark.requirement("CMD-045")
def test_low_efficiency_land_comes_from_the_planning_bureau_and_narrows_the_points(walk: Walker, outside: Any) -> None:
    parcel = {"key": "DX-1-1", "day": "2026-11-16", "code": "DX-1", "unit_code": "CG-A-J1", "street": "CG-A-J1", "title": "东街低效地块", "address": "东街", "outline": SQUARE, "announced_on": "2026-11-16"}
    outside("planning_bureau", parcels=[parcel, {**parcel, "key": "DX-2-1", "code": "DX-2", "outline": None}, {**parcel, "key": "DX-1-2", "title": "东街低效地块（改）"}])
    run_exchange(walk.app, name=FEED)
    assert {key: state for key, (state, _) in kept(walk, FEED).items()} == {"DX-1-1": "done", "DX-2-1": "refused", "DX-1-2": "done"}
    (land,) = records(walk, f"{PACK}.land")
    assert land["title"] == "东街低效地块（改）" and land["outline"]["area"] > 1_000_000 and land["unit_id"] == walk.bureau.units["CG-A-J1"]
    point(walk, title="地块里的", location={"lon": 121.445, "lat": 31.225})
    point(walk, title="地块外的", location={"lon": 121.455, "lat": 31.225})
    point(walk, title="街镇标了专项的", topics=["low_efficiency"], location={"lon": 121.4451, "lat": 31.2251})
    begin(walk, "low_efficiency")
    work_through(walk)
    assert {one["title"] for one in records(walk, f"{PACK}.rectification")} == {"地块里的", "街镇标了专项的"}
