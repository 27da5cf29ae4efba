"""A point is supervised by the city or its district; once it is found as replied it is among the closed ones."""
from __future__ import annotations

from typing import Any

import pytest

from engine.kernel.errors import Forbidden, Invalid
from tests.packs.illegal_building.points import point, record, records, state
from tests.packs.oversight.orders import Overseer

PACK = "illegal_building_oversight"
WAYS = {"city": ("city_works", "city_boss", "CG-A", "a_works"), "district": ("a_works", "a_boss", "CG-A-J1", "a1_street")}


def issued(walk: Overseer, level: str) -> Any:
    who, boss, target, _ = WAYS[level]
    id = point(walk)
    walk.start(who, f"{PACK}.{level}_oversight", {"point": str(id), "title": "西侧加建", "why": "市民多次反映。"})
    walk.do(who, "decide", "submit", walk.order(level=level, target=target))
    walk.do(boss, "sign", "issue")
    return id


@pytest.mark.requirement("CMD-017")
@pytest.mark.parametrize("level", ["city", "district"])
def test_what_is_found_as_replied_is_closed_and_enters_the_closed_points(walk: Overseer, level: str) -> None:
    who, _, _, replier = WAYS[level]
    id = issued(walk, level)
    assert walk.holders("reply") == {replier}
    walk.reply(who=replier)
    walk.check("incomplete", who=who)
    assert record(walk, "illegal_building.point", id)["status"] == "open"
    walk.reply(who=replier)
    walk.check("true", who=who)
    (closing,) = records(walk, "illegal_building.closing")
    assert (closing["point"], closing["way"], record(walk, "illegal_building.point", id)["status"], state(walk)) == (id, "supervised", "closed", "已办结")
    assert walk.record["bad_checks"] == 1 and walk.record["about"] == str(id)


def test_a_closed_point_is_not_supervised_and_streets_supervise_nobody(walk: Overseer) -> None:
    id = point(walk, status="closed")
    data = {"point": str(id), "title": "西侧加建", "why": "市民反映。"}
    with pytest.raises(Invalid):
        walk.start("city_works", f"{PACK}.city_oversight", data)
    for who, process in (("a1_street", "district_oversight"), ("a_works", "city_oversight"), ("city_works", "district_oversight")):
        with pytest.raises(Forbidden):
            walk.start(who, f"{PACK}.{process}", data)
