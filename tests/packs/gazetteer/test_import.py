"""Rows without coordinates find their place by the address while they are imported; what is doubtful stays empty and is listed; the datum is named."""
from __future__ import annotations

import io
from datetime import date
from typing import Any

from sqlalchemy import select

from engine.kernel.datums import to_gcj02
from engine.registers.catalogue import get_register
from engine.storage.tables.organisation import unit
from tests.browser import Browser
from tests.engine.registers.test_excel import sheet
from tests.packs.walk import Walker

HEAD = ("点位名称*", "违建类别*", "处置状态*", "属地街镇*", "地址*", "位置", "建筑面积（平方米）*", "发现日期*")
LIST = "/registers/illegal_building/point"


def test_addresses_are_placed_as_rows_come_in(city: Walker) -> None:
    with city.app.db.connect() as connection:
        street = connection.scalar(select(unit.c.name).where(unit.c.id == city.bureau.units["CG-A-J1"]))

    def row(title: str, address: str, place: str = "") -> tuple[Any, ...]:
        return (title, "新增违建", "待处置", street, address, place, 12, date(2026, 11, 2))

    lon, lat = to_gcj02(121.4400, 31.2300)
    data = sheet([row("甲", "静安区余姚路281号"), row("乙", "火星路1号"), row("丙", "余姚路"), row("丁", "余姚路1号", f"{lon:.7f},{lat:.7f}"), row("戊", "余姚路281号3室")], head=HEAD)
    browser = Browser(city.app, "a1_street")
    assert "按“地址”自动定位" in browser.get(f"{LIST}/import").text
    sent = browser.post(f"{LIST}/import", {"file": (io.BytesIO(data), "点位.xlsx"), "datum": "gcj02", "locate": "1"}, content_type="multipart/form-data")
    where = sent.headers.get("HX-Redirect") or sent.location
    city.app.jobs.run_due(city.app)
    page = browser.get(where).text
    assert "按地址定位了 <b>2</b> 行" in page and '<b class="late">2</b> 行没有把握' in page and "没有找到这个地址" in page and "路的中段" in page
    browser.post(f"{where}/confirm")
    city.app.jobs.run_due(city.app)
    _, table = get_register(city.app.library, "illegal_building.point")
    with city.app.db.connect() as connection:
        places = {found.title: found.location for found in connection.execute(select(table.c.title, table.c.location))}
    assert places["甲"] == places["戊"] != {} and places["乙"] is None and places["丙"] is None
    assert abs(places["丁"]["lon"] - 121.44) < 1e-6 and abs(places["丁"]["lat"] - 31.23) < 1e-6
    page = browser.get(where).text
    assert "2 条没有把握" in page and "看没有位置的" in page
    unplaced = browser.get(f'{LIST}?w={{"field":"location","empty":true}}').text
    assert "乙" in unplaced and "丙" in unplaced and "甲<" not in unplaced
    assert browser.post(f"{LIST}/import", {"file": (io.BytesIO(data), "点位.xlsx"), "datum": "mars"}, content_type="multipart/form-data").status_code == 422
