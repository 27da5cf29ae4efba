"""专题图: outlines that an administrator brings in, a statistic by district and street, every figure with its list."""
from __future__ import annotations

import io
import json
import re
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from sqlalchemy import func, select, update

from engine.kernel.errors import Invalid
from engine.reference.boundaries import MOST_VERTICES, read_boundaries, stem_of
from engine.reporting.statistics.ranges import count_ends, equal_ends, own_ends, rank_of
from engine.runtime.deploy_file import deploy_file
from engine.storage.tables.boundaries import boundary
from engine.storage.tables.organisation import account, unit
from tests.browser import Browser
from tests.engine.registers.stock import Stock, deploy_stock
from tests.engine.reporting.test_statistics import BUYING, ROWS
from tests.town import Town

MAP = "/statistics/borrow_umbrella/buying/map"
DISTRICTS = {"310000": "云浦区"}


def square(name: str, west: float, **more: Any) -> dict[str, Any]:
    ring = [[west, 31.2], [west + 0.1, 31.2], [west + 0.1, 31.3], [west, 31.3]]
    return {"type": "Feature", "properties": {"name": name, "district": "云浦区", **more}, "geometry": {"type": "Polygon", "coordinates": [ring]}}


def geojson(*features: Any) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": list(features)}).encode()


def send(browser: Browser, data: bytes, **more: str) -> Any:
    return browser.post("/admin/boundaries", {"level": "street", "source": "测试", "file": (io.BytesIO(data), "a.geojson"), **more}, content_type="multipart/form-data")


@pytest.fixture
def stock(town: Town) -> Stock:
    stock = deploy_stock(town)
    deploy_file(town.app, actor=town.actor("keeper"), kind="statistic", pack="borrow_umbrella", filename="buying.yaml", content=BUYING.encode(), note="测试", at=town.app.clock.now())
    for number, (where, colour, price, day) in enumerate(ROWS):
        stock.add({"code": f"伞-{number}", "colour": colour, "price": price, "bought_on": day, "working": colour == "red"}, unit=where)
    with town.app.db.begin() as connection:
        connection.execute(update(account).where(account.c.login == "keeper").values(rights=["admin", "see_all_cases"]))
        connection.execute(update(unit).where(unit.c.code == "station_two").values(short_name="第二所"))
    return stock


def test_streets_that_were_brought_in_carry_a_statistic_and_each_figure_opens_its_list(stock: Stock) -> None:
    admin, chief = Browser(stock.app, "keeper"), Browser(stock.app, "chief")
    assert ">按街镇<" not in (before := chief.get(MAP).text) and "还没有街镇边界" in before and "各区数量" in before and chief.get("/admin/boundaries").status_code == 403
    assert chief.get("/maps/base.json").json["districts"] == ""  # type: ignore[index]
    assert "没有名称" in (refused := send(admin, geojson(square("", 121.1), square("甲街道", 121.2, district="别的区")))).text and "看不出属于哪个区" in refused.text and refused.status_code == 422
    assert "来源" in send(admin, geojson(square("甲街道", 121.2)), source=" ").text and "不是 GeoJSON" in send(admin, b"{").text
    assert send(admin, geojson(square("第二街道", 121.1), square("别处镇", 121.3), square("甲街道", 121.2, units=["station_one"]))).status_code == 303
    kept = admin.get("/admin/boundaries").text
    assert "别处镇" in kept and "测试" in kept

    page = chief.get(f"{MAP}?p=2026").text  # only one district shows: its streets
    assert "各街镇数量" in page and "没有划入区域的" in page  # the district's own record
    figures = dict(re.findall(r"</i>([^<]+)</td><td[^>]*><a class=\"fig\" href=\"([^\"]+)\"", page))
    assert set(figures) == {"甲街道", "第二街道"}
    assert "共 3 条" in chief.get(unescape(figures["甲街道"])).text and "共 1 条" in chief.get(unescape(figures["第二街道"])).text
    told = json.loads(re.findall(r"data-areas='([^']+)'", page)[0])
    assert {one["title"]: one["rank"] for one in told["areas"].values()} == {"甲街道": 2, "第二街道": 0} and told["level"] == "street"
    shapes = chief.get(told["outlines"]).json
    assert {one["properties"]["code"] for one in shapes["features"]} >= set(told["areas"])  # type: ignore[index]
    assert ">20<" in chief.get(f"{MAP}?p=2026&m=usual").text  # the median over the street's records, not of its units' medians
    assert "各区数量" in (district := chief.get(f"{MAP}?p=2026&level=district").text) and "云浦区" in district and "第二街道" not in district
    assert "自定分级写" in (wrong := chief.get(f"{MAP}?way=own&ends=5,1")).text and wrong.status_code == 422
    assert "没有数据" in chief.get(f"{MAP}?p=2020").text and chief.get(f"{MAP}?by=colour").status_code == 422

    assert send(admin, geojson(square("第二镇", 121.1)), source="新的").status_code == 303  # a newer file takes the place of the older one
    assert admin.post("/admin/boundaries/street/310000/end").status_code == 303 and "还没有街镇边界" in chief.get(MAP).text
    with stock.app.db.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(boundary)) == 4  # what was stays on record
    assert send(admin, geojson(square("云浦区", 121.1)), level="district").status_code == 303 and chief.get("/maps/base.json").json["districts"]  # type: ignore[index]


def test_outlines_are_smoothed_when_too_fine_and_ranges_are_what_they_say() -> None:
    fine = [[121.4 + 0.1 * place / 3000, 31.2] for place in range(3001)] + [[121.5, 31.3], [121.4, 31.3]]
    feature = {"type": "Feature", "properties": {"name": "细街道", "code": "310000001"}, "geometry": {"type": "Polygon", "coordinates": [fine]}}
    (one,) = read_boundaries(geojson(feature), level="street", datum="gcj02", districts=DISTRICTS)
    assert len(one.outline["coordinates"][0]) < MOST_VERTICES and one.district == "310000" and one.outline["bbox"][0] != 121.4
    with pytest.raises(Invalid, match="有两个"):
        read_boundaries(geojson(square("甲", 121.1), square("甲", 121.3)), level="street", datum="cgcs2000", districts=DISTRICTS)
    assert [stem_of(name) for name in ("曹家渡街道", "嘉定镇街道", "七宝镇", "镇")] == ["曹家渡", "嘉定镇", "七宝", "镇"]
    values = [Decimal(one) for one in (1, 1, 2, 9, 30)]
    assert equal_ends(values) == [6, 12, 18, 24, 30] and equal_ends([Decimal(4)] * 2) == [4] and equal_ends([]) == []
    assert count_ends(values) == [1, 2, 9, 30] and own_ends("2，10", values) == [2, 10, 30]
    assert [rank_of(value, [Decimal(2), Decimal(10), Decimal(30)]) for value in values] == [0, 0, 0, 1, 2] and rank_of(None, [Decimal(1)]) is None
    for text in ("", "3,1", "x", "1,2,3,4,5"):
        with pytest.raises(Invalid):
            own_ends(text, values)
