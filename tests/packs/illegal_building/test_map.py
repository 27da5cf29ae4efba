"""违建一张图: narrowed by place and by attribute, shaded by ranges, drawn in the forms, compared by a buffer; and points from Excel, checked first."""
from __future__ import annotations

import html
import io
import re
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from engine.storage.tables.organisation import unit
from tests.browser import Browser
from tests.engine.registers.test_excel import sheet
from tests.packs.illegal_building.points import intake, newest, point, records
from tests.packs.walk import Walker

LIST = "/registers/illegal_building/point"
SQUARE = {"type": "Polygon", "coordinates": [[[121.4499, 31.2299], [121.4501, 31.2299], [121.4501, 31.2301], [121.4499, 31.2301], [121.4499, 31.2299]]]}


@pytest.mark.requirement("CMD-019", "CMD-022")
def test_points_are_found_by_place_and_attribute_and_shaded_by_ranges(walk: Walker) -> None:
    for title, kind, area, lon, where in (("甲", "new", 10, 121.4500, "CG-A-J1"), ("乙", "stock", 90, 121.4502, "CG-A-J1"), ("丙", "new", 30, 121.4700, "CG-A-J2"), ("丁", "new", 70, 121.5000, "CG-B-J1")):
        point(walk, unit=where, title=title, kind=kind, area=area, location={"lon": lon, "lat": 31.23})
    with walk.app.db.begin() as connection:
        for code, place in (("CG-A", "310106"), ("CG-B", "310107")):
            connection.execute(unit.update().where(unit.c.id == walk.bureau.units[code]).values(area_code=place))
    browser = Browser(walk.app, "a_works")
    told: Any = browser.get(f"{LIST}/map/points?box=121.4,31.2,121.6,31.3&f.kind=new").json
    assert {one["title"] for one in told["records"]} == {"甲", "丙"} and told["records"][0]["url"].startswith(LIST) and told["records"][0]["more"]
    near = browser.get(f"{LIST}/map?near=121.45,31.23,100", follow_redirects=True).text
    assert "2 条" in near
    found = html.unescape(re.findall(r'data-map="([^"]+)"', near)[0])
    assert {one["title"] for one in browser.get(f"{found}&box=121.4,31.2,121.6,31.3").json["records"]} == {"甲", "乙"}  # type: ignore[index]
    page = browser.get(f"{LIST}/map").text
    west, south, east, north = (float(part) for part in re.findall(r"data-extent='\[([^\]]+)\]'", page)[0].split(","))
    assert west < 121.45 < 121.47 < east and south < 31.23 < north and east - west < 0.1
    shaded = Browser(walk.app, "city_works").get(f"{LIST}/map?theme=sum.area&f.kind=new").text
    assert "各区建筑面积" in shaded and 'class="legend"' in shaded and ">40<" in shaded and ">70<" in shaded


@pytest.mark.requirement("CMD-020", "CMD-021")
def test_point_and_outline_are_drawn_and_a_buffer_says_what_may_be_the_same(walk: Walker) -> None:
    browser = Browser(walk.app, "a1_street")
    form = browser.get("/start/illegal_building/point_intake").text
    assert 'data-place="point"' in form and 'data-place="outline"' in form and "在图上加顶点" in form
    walk.start("a1_street", "illegal_building.point_intake", intake(location={"lon": 121.45, "lat": 31.23}, outline=SQUARE))
    made = newest(walk, "illegal_building.point")
    assert made["location"] == {"lon": 121.45, "lat": 31.23} and made["outline"]["area"] > 300
    moved = {"point": str(made["id"]), "change_kind": "change", "reason": "位置量错。", "title": "甲", "kind": "new", "address": made["address"], "area": 10, "location": {"lon": 121.451, "lat": 31.23}, "outline": SQUARE}
    walk.start("a1_street", "illegal_building.point_change", moved)
    walk.do("a_chief", "district_review")
    assert newest(walk, "illegal_building.point")["location"] == {"lon": 121.451, "lat": 31.23}
    walk.start("a1_street", "illegal_building.point_intake", intake(address="另一个地址", location={"lon": 121.4511, "lat": 31.23}))
    assert walk.holders("confirm_new") == {"a_works"} and len(records(walk, "illegal_building.point")) == 1
    alike = browser.get(f"{LIST}/{made['id']}/alike?within=500")
    assert alike.status_code == 200


@pytest.mark.requirement("CMD-002")
def test_points_from_excel_are_checked_before_anything_is_written(walk: Walker) -> None:
    with walk.app.db.connect() as connection:
        street = connection.scalar(select(unit.c.name).where(unit.c.id == walk.bureau.units["CG-A-J1"]))
    head = ("点位名称*", "违建类别*", "处置状态*", "属地街镇*", "地址*", "位置", "建筑面积（平方米）*", "发现日期*")
    good = ("甲", "新增违建", "待处置", street, "某路 1 号", "121.45,31.23", 12, date(2026, 11, 2))
    rows = [good, ("乙", "没有这类", *good[2:]), (*good[:5], "31.23,121.45", "很大", "昨天"), ("", *good[1:])]
    browser = Browser(walk.app, "a1_street")
    sent = browser.post(f"{LIST}/import", {"file": (io.BytesIO(sheet(rows, head=head)), "点位.xlsx")}, content_type="multipart/form-data")
    where = sent.headers.get("HX-Redirect") or sent.location
    walk.app.jobs.run_due(walk.app)
    page = browser.get(where).text
    assert "还没有写入任何内容" in page and "<b>1</b> 行可以导入" in page and "不在选项里" in page and "好像写反了" in page and "必填" in page
    assert records(walk, "illegal_building.point") == []
    browser.post(f"{where}/confirm")
    walk.app.jobs.run_due(walk.app)
    (made,) = records(walk, "illegal_building.point")
    assert made["title"] == "甲" and made["number"]
