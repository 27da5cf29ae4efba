"""The map of a register: narrowed as the list, by box and never the whole table, by distance, by district; the small maps and the base."""
from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any, cast

import pytest
from sqlalchemy import text

from engine.kernel.ids import new_id
from engine.registers.catalogue import get_register
from engine.registers.copy_records import copy_records
from engine.reporting.statistics.ranges import equal_ends
from engine.runtime.queries import register_map
from tests.browser import Browser
from tests.engine.registers.test_field_kinds import Fleet
from tests.engine.registers.test_places import SITE
from tests.town import Town

SITES = """
title: 点位
scope: all
fields:
  name: {title: 名称, list: true, search: true, required: true}
  size: {title: 面积, type: number, list: true}
  place: {title: 位置, type: point}
  bounds: {title: 范围, type: outline}
"""
MAP = "/registers/borrow_umbrella/site/map"


@pytest.fixture
def sites(town: Town) -> Fleet:
    fleet = Fleet(town)
    fleet.deploy("site.yaml", SITES)
    return fleet


def points(browser: Browser, query: str) -> dict[str, Any]:
    return cast(dict[str, Any], browser.get(f"{MAP}/points?{query}").json)


def fill(sites: Fleet, rows: list[dict[str, Any]]) -> None:
    declared, _ = get_register(sites.app.library, SITE)
    origin = {"unit_id": sites.town.units["station_one"], "district_id": sites.town.units["district"], "person_id": None, "person_name": "测试", "file_name": "x", "id": new_id()}
    with sites.app.db.begin() as connection:
        copy_records(connection, register=declared, keys=sites.app.keys, rows=rows, origin=origin, at=sites.app.clock.now())  # type: ignore[arg-type]


def test_few_records_are_shown_each_and_many_as_heaps_that_say_so(sites: Fleet) -> None:
    browser = Browser(sites.app, "head")
    fill(sites, [{"name": f"点 {n}", "size": n, "place": f"{121.40 + n / 1e4:.4f},31.2304"} for n in range(30)])
    told = points(browser, "box=121.3,31.2,121.4016,31.3")
    assert len(told["records"]) == 17 and not told["heaps"] and told["records"][0]["point"][1] == 31.2304
    assert len(points(browser, "box=121.3,31.2,121.5,31.3&f.size.from=28")["records"]) == 2
    fill(sites, [{"name": f"密 {n}", "place": f"{121.44 + n / 1e6:.6f},31.2404"} for n in range(450)])
    told = points(browser, "box=121.3,31.2,121.5,31.3")
    assert not told["records"] and {heap["count"] for heap in told["heaps"]} == {"30", "200+"} and "放大" in told["said"]
    assert browser.get(f"{MAP}/points?box=1,2", headers={"X-Guicheng-Fetch": "1"}).status_code == 422


def test_near_becomes_a_condition_of_list_and_map_and_goes_away_again(sites: Fleet) -> None:
    browser = Browser(sites.app, "head")
    id = sites.add(SITE, name="甲", place="121.4737,31.2304", size=3)
    sites.add(SITE, name="乙", place="121.5737,31.2304", size=9, bounds="121.57,31.23\n121.58,31.23\n121.58,31.24")
    page = browser.get(f"{MAP}?near=121.4738,31.2304,50", follow_redirects=True)
    html = page.get_data(as_text=True)
    assert page.request.args.get("w") and "不超过 50 米" in html and "1 条" in html
    listed = browser.get(f"/registers/borrow_umbrella/site?w={page.request.args['w']}").get_data(as_text=True)
    assert "甲" in listed and "乙" not in listed
    back = browser.get(f"{MAP}?clear=1&w={page.request.args['w']}", follow_redirects=True)
    assert "w" not in back.request.args and "2 条" in back.get_data(as_text=True)
    assert browser.get(f"{MAP}?near=121.4738,31.2304,90000").status_code == 422
    inside = browser.get(f"{MAP}?inside=121.57,31.22%0A121.58,31.22%0A121.58,31.24%0A121.57,31.24", follow_redirects=True).get_data(as_text=True)
    assert "在范围内（4 个顶点）" in inside and "1 条" in inside
    rows = browser.get("/registers/borrow_umbrella/site?sort=name").get_data(as_text=True)
    assert rows.count('class="row-map"') == 2 and "[[[121.57, 31.23]" in rows  # a point, a short outline
    one = browser.get(f"/registers/borrow_umbrella/site/{id}").get_data(as_text=True)
    assert "data-map-shown" in one and "附近 500 米" in one


def test_the_thematic_map_sorts_districts_into_ranges(sites: Fleet) -> None:
    browser = Browser(sites.app, "head")
    fill(sites, [{"name": "甲", "size": 3}, {"name": "乙", "size": 9}])
    with sites.app.db.begin() as connection:
        area = connection.execute(text("SELECT area_code FROM unit WHERE id = :id"), {"id": sites.town.units["district"]}).scalar_one()
    html = browser.get(f"{MAP}?theme=sum.size").get_data(as_text=True)
    assert "各区面积合计" in html and f'"{area}": 0' in html and ">12" in html
    assert browser.get(f"{MAP}?theme=sum.name").status_code == 422
    assert equal_ends([]) == [] and len(equal_ends([Decimal(1), Decimal(11)])) == 5


def test_the_base_names_no_tiles_by_default_and_a_register_without_places_has_no_map(sites: Fleet) -> None:
    browser = Browser(sites.app, "head")
    base = browser.get("/maps/base.json").json
    assert base and base["tiles"] == "" and "map" in base["css"]
    assert browser.get("/registers/borrow_umbrella/umbrella_loan/map").status_code == 404
    assert "地图" in browser.get("/registers/borrow_umbrella/site").get_data(as_text=True)


def test_what_would_take_too_long_stops_and_says_how_to_narrow(sites: Fleet) -> None:
    from engine.kernel.errors import Invalid
    from engine.storage.bounded import bounded

    with pytest.raises(Invalid, match="再加一个条件"), bounded(sites.app.db, seconds=0.05) as connection:
        connection.execute(text("SELECT pg_sleep(5)"))


def test_the_nearest_come_first(sites: Fleet) -> None:
    sites.app.clock.advance(timedelta(seconds=1))
    far, close = sites.add(SITE, name="远", place="121.48,31.23"), sites.add(SITE, name="近", place="121.471,31.23")
    declared, table = get_register(sites.app.library, SITE)
    from engine.registers.filters import Asked
    with sites.app.db.connect() as connection:
        found = register_map.nearest(connection, actor=sites.town.actor("head"), register=declared, table=table, asked=Asked(), field=declared.fields["place"], lon=121.47, lat=31.23)
    assert [id for id, _ in found] == [close, far] and found[0][1] == pytest.approx(95.4, abs=1)
