"""Points and outlines: stored, projected, found by index, checked in words, from forms, Excel and programs alike."""
from __future__ import annotations

import re
from collections.abc import Mapping
from random import Random
from typing import Any

import orjson
import pytest
from pyproj import Transformer
from sqlalchemy import text

from engine.kernel.datums import to_bd09, to_cgcs2000, to_gcj02, to_metres
from engine.kernel.errors import DeployRefused, Invalid
from engine.kernel.ids import new_id
from engine.reference.places import read_outline, read_place
from engine.registers.alike_names import AlikeNames
from engine.registers.declaration import parse_register
from engine.registers.gazetteer import one_off
from engine.runtime.edit_record import change_record, create_record
from engine.runtime.import_register import check_import, confirm_import, start_import, write_import
from tests.engine.registers.test_excel import sheet
from tests.engine.registers.test_field_kinds import Fleet
from tests.town import Town

SITE = "borrow_umbrella.site"
SITES = """
title: 点位
scope: all
fields:
  name: {title: 名称, list: true, search: true, required: true}
  place: {title: 位置, type: point, list: true}
  bounds: {title: 范围, type: outline}
"""
SQUARE = [[121.47, 31.23], [121.48, 31.23], [121.48, 31.24], [121.47, 31.24]]


@pytest.fixture
def sites(town: Town) -> Fleet:
    fleet = Fleet(town)
    fleet.deploy("site.yaml", SITES)
    return fleet


def found(fleet: Fleet, leaf: Mapping[str, Any]) -> set[str]:
    from engine.registers.catalogue import get_register
    from engine.registers.filters import read_asked
    from engine.runtime.queries import registers as query

    declared, table = get_register(fleet.app.library, SITE)
    with fleet.app.db.connect() as connection:
        asked = read_asked(declared, [("w", orjson.dumps({"all": [leaf]}).decode())])
        return {row.cells["name"] for row in query.listed(connection, actor=fleet.town.actor("head"), register=declared, table=table, asked=asked).rows}


def test_datums_agree_with_gcoord() -> None:
    assert to_gcj02(121.4737, 31.2304) == pytest.approx((121.47822305927693, 31.22845773757727), abs=1e-12)
    assert to_bd09(121.4737, 31.2304) == pytest.approx((121.484781468503, 31.234310593689997), abs=1e-12)
    assert to_cgcs2000(121.47822305927693, 31.22845773757727, datum="gcj02") == pytest.approx((121.4737, 31.2304), abs=1e-9)
    assert to_cgcs2000(121.484781468503, 31.234310593689997, datum="bd09") == pytest.approx((121.4737, 31.2304), abs=2e-6)


def test_metres_agree_with_proj_here_and_in_the_database(database: Any) -> None:
    proj = Transformer.from_crs(4490, 4549, always_xy=True)
    with database.connect() as connection:
        for lon, lat in ((121.4737, 31.2304), (120.85, 31.87), (122.2, 30.68)):
            wanted = proj.transform(lon, lat)
            assert to_metres(lon, lat) == pytest.approx(wanted, abs=1e-3)
            east, north = connection.execute(text("SELECT m[0], m[1] FROM (SELECT gc_metres(point(:lon, :lat)) AS m) AS one"), {"lon": lon, "lat": lat}).one()
            assert (east, north) == pytest.approx(wanted, abs=1e-3)


@pytest.mark.parametrize(("typed", "says"), [
    ("31.2304,121.4737", "写反"), ("121.4", "经度,纬度"), ("2.35,48.85", "不在中国"), ({"lon": "东", "lat": 31}, "数字"), ({"lon": "nan", "lat": 31}, "不在中国"),
    ({"lon": 121.4, "lat": 31.2, "datum": "mars"}, "坐标系"),
])
def test_a_wrong_place_says_what_to_do(typed: Any, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        read_place(typed)


@pytest.mark.parametrize(("typed", "says"), [
    ("121.47,31.23\n121.48,31.23", "三个"), ("121.47,31.23\n121.48,31.24\n121.48,31.23\n121.47,31.24", "交叉"), ({"type": "Point", "coordinates": [121, 31]}, "一个面"),
    ({"type": "Polygon", "coordinates": [[[121.4 + n / 1e5, 31.2] for n in range(2001)]]}, "2000"), ("{", "GeoJSON"), ({"type": "Polygon", "coordinates": [3]}, "不完整"),
])
def test_a_wrong_outline_says_what_to_do(typed: Any, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        read_outline(typed)


def test_an_outline_knows_its_box_and_area() -> None:
    outline = read_outline("\n".join(f"{lon} {lat}" for lon, lat in SQUARE))
    assert outline["bbox"] == [121.47, 31.23, 121.48, 31.24] and outline["coordinates"][0][0] == outline["coordinates"][0][-1]
    assert outline["area"] == pytest.approx(952.9 * 1109, rel=0.01)


def test_the_form_converts_the_datum_and_the_list_finds_by_distance_polygon_and_box(sites: Fleet) -> None:
    near = sites.add(SITE, name="近", place={"lon": "121.47822305927693", "lat": "31.22845773757727", "datum": "gcj02"})
    sites.add(SITE, name="远", place={"lon": 121.52, "lat": 31.2304})
    sites.add(SITE, name="块", bounds={"text": "\n".join(f"{lon},{lat}" for lon, lat in SQUARE), "datum": "cgcs2000"})
    record, _ = sites.read(SITE, near)
    assert record.values["place"] == {"lon": 121.4737, "lat": 31.2304} and record.cells["place"] == "121.473700,31.230400"
    assert found(sites, {"field": "place", "near": "121.4747,31.2304,100"}) == {"近"}
    assert found(sites, {"field": "place", "near": "121.4747,31.2304,95"}) == set()
    assert found(sites, {"field": "place", "inside": [f"{lon},{lat}" for lon, lat in SQUARE]}) == {"近"}
    assert found(sites, {"field": "place", "box": "121.4,31.2,121.6,31.3"}) == {"近", "远"}
    assert found(sites, {"field": "place", "empty": True}) == {"块"}
    assert found(sites, {"field": "bounds", "near": "121.4695,31.235,100"}) == {"块"} and found(sites, {"field": "bounds", "box": "121.5,31.2,121.6,31.3"}) == set()
    with pytest.raises(Invalid, match="20000 米"):
        found(sites, {"field": "place", "near": "121.47,31.23,50000"})


def test_a_change_of_place_stands_in_the_history(sites: Fleet) -> None:
    id = sites.add(SITE, name="甲", place="121.4737,31.2304")
    rev = sites.read(SITE, id)[0].rev
    change_record(sites.app, actor=sites.town.actor("head"), register=SITE, record_id=id, data={"name": "甲", "place": {"lon": 121.48, "lat": 31.23}}, reason="复测", rev=rev, at=sites.app.clock.now())
    record, history = sites.read(SITE, id)
    assert record.values["place"] == {"lon": 121.48, "lat": 31.23}
    assert any(change["title"] == "位置" and change["old"] == "121.473700,31.230400" for line in history for change in line.changes)
    with pytest.raises(Invalid) as refused:
        create_record(sites.app, actor=sites.town.actor("head"), register=SITE, data={"name": "乙", "place": {"lon": "31.2", "lat": "121.4"}}, key=new_id(), at=sites.app.clock.now())
    assert "写反" in refused.value.fields["place"]


def test_excel_brings_points_and_says_which_are_wrong(sites: Fleet) -> None:
    outline = "121.47,31.23\n121.48,31.23\n121.48,31.24"
    data = sheet([["丙", "121.4737,31.2304", outline], ["丁", "31.2304，121.4737", ""]], ["名称*", "位置", "范围"])
    actor, at = sites.town.actor("head"), sites.app.clock.now()
    brought = start_import(sites.app, actor=actor, register=SITE, name="点位.xlsx", data=data, at=at)
    check_import(sites.app, transfer_id=str(brought))
    with sites.app.db.connect() as connection:
        problems = connection.execute(text("SELECT problems FROM register_transfer WHERE id = :id"), {"id": brought}).scalar_one()
    assert [(one["title"], "写反" in one["text"]) for one in problems] == [("位置", True)]
    confirm_import(sites.app, actor=actor, register=SITE, import_id=brought, at=at)
    write_import(sites.app, transfer_id=str(brought))
    assert found(sites, {"field": "place", "near": "121.4737,31.2304,1"}) == {"丙"}
    assert found(sites, {"field": "bounds", "box": "121.475,31.232,121.476,31.233"}) == {"丙"}


def test_a_place_can_not_be_encrypted_and_a_register_gains_one_later(sites: Fleet) -> None:
    with pytest.raises(DeployRefused):
        parse_register(b"title: x\nfields:\n  place: {title: x, type: point, encrypt: true}", name="a.b")
    sites.add(SITE, name="旧", place="121.4737,31.2304")
    sites.deploy("site.yaml", SITES + "  gate: {title: 大门, type: point}\n")
    sites.add(SITE, name="新", gate="121.4737,31.2304")
    assert found(sites, {"field": "gate", "near": "121.4737,31.2304,5"}) == {"新"}


def test_names_one_character_off_are_those_that_the_patterns_find() -> None:
    dice, letters = Random(3), "甲乙丙丁"
    names = sorted({"".join(dice.choices(letters, k=dice.randint(2, 5))) for _ in range(400)})
    held = AlikeNames((name, name) for name in names)
    for asked in ("甲", "甲乙", "丙丁甲", "甲乙丙丁", "丁丁乙甲丙", "戊乙丙丁"):
        patterns = [re.compile("".join("." if mark == "_" else re.escape(mark) for mark in pattern)) for pattern in one_off(asked)]
        assert set(held.alike(asked)) == {name for name in names if name != asked and any(one.fullmatch(name) for one in patterns)}, asked
