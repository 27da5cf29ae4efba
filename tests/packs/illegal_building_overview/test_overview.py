"""Eleven queries, seven statistics, each for one's own area; what is found is added up; tables and charts go out."""
from __future__ import annotations

import html
import io
import re
import zipfile

import pytest

from tests.browser import Browser
from tests.packs.illegal_building.points import point
from tests.packs.walk import Walker

PACK = "illegal_building_overview"
QUERIES = ("新增违建", "存量违建", "督查督办", "抽样核查", "专项整治", "点位核实", "暂缓认定", "数据补证", "安全检测", "销项库", "普查库")
SUBJECTS = ("新增违建", "存量违建", "专项整治", "督查督办", "无违建创建考核", "暂缓认定", "销项库")
STATISTICS = ("illegal_building/new_points", "illegal_building/stock_points", "illegal_building/disposal", "illegal_building/closings", "illegal_building/reports", "illegal_building_campaign/rectifications",
              "illegal_building_deferral/deferrals", "illegal_building_sampling/checks", "illegal_building_assessment/oversight", "illegal_building_assessment/ranking")


@pytest.fixture
def walk(squads: Walker) -> Walker:
    for unit, kind, area, status in (("CG-A-J1", "new", 10, "open"), ("CG-A-J1", "new", 20, "filed"), ("CG-A-J2", "new", 40, "open"), ("CG-B-J1", "stock", 80, "open")):
        point(squads, unit=unit, kind=kind, area=area, status=status, title=f"{unit} {area} 平方米")
    return squads


@pytest.mark.requirement("CMD-024")
def test_eleven_queries_each_for_ones_own_area(walk: Walker) -> None:
    for login, new, stock in (("a1_street", 2, 0), ("a_works", 3, 0), ("city_works", 3, 1)):
        browser = Browser(walk.app, login)
        page = html.unescape(browser.get(f"/dashboards/{PACK}/queries").text)
        tiles = re.findall(r'<h2><a class="fig" href="([^"]+)">([^<]+)</a></h2>\s*<p><b>([^<]+)</b>', page)
        assert [title for _, title, _ in tiles] == list(QUERIES)
        assert [int(count) for _, _, count in tiles][:2] == [new, stock]
        for url, title, count in tiles:
            listed = browser.get(url)
            assert listed.status_code == 200, title
            assert count != "0" or "没有" in listed.text, title


@pytest.mark.requirement("CMD-056", "CMD-057")
def test_what_a_query_finds_is_added_up_and_every_figure_opens_its_list(walk: Walker) -> None:
    browser = Browser(walk.app, "a_works")
    listed = browser.get("/registers/illegal_building/point?f.kind=new&f.area.from=15").text
    assert "CG-A-J1 20 平方米" in listed and "CG-A-J2 40 平方米" in listed and "CG-A-J1 10 平方米" not in listed
    assert "/registers/illegal_building/point/tally?" in listed
    page = browser.get("/registers/illegal_building/point/tally?f.kind=new&f.area.from=15&by=status").text
    rows = dict(re.findall(r'<a class="t" href="[^"]*">([^<]+)</a></td><td class="num" data-l="条数">(\d+)</td>', page))
    assert rows == {"待处置": "1", "已立案": "1"} and ">60<" in page
    behind = html.unescape(re.findall(r'<a class="t" href="([^"]+)">待处置', page)[0])
    found = browser.get(behind).text
    assert "CG-A-J2 40 平方米" in found and "CG-A-J1 20 平方米" not in found
    stock = Browser(walk.app, "b1_street").get("/registers/illegal_building/point/tally?f.kind=stock&by=street").text
    assert 'data-l="条数">1<' in stock and ">80<" in stock
    assert "没有可以统计" in Browser(walk.app, "a1_street").get("/registers/illegal_building/point/tally?f.kind=stock").text
    assert browser.get("/registers/illegal_building/point/tally?by=owner").status_code == 422


@pytest.mark.requirement("CMD-059", "CMD-026")
def test_seven_subjects_and_charts_on_one_board_and_each_goes_out(walk: Walker) -> None:
    browser = Browser(walk.app, "city_works")
    page = browser.get(f"/dashboards/{PACK}/board").text
    titles = re.findall(r"<h2><a[^>]*>([^<]+)</a></h2>", page)
    assert titles[:7] == list(SUBJECTS) and "data-chart" in page
    for name in STATISTICS:
        for chart in ("bar", "line", "pie"):
            assert browser.get(f"/statistics/{name}?p=all&chart={chart}").status_code == 200, name


@pytest.mark.requirement("CMD-025", "CMD-026")
def test_every_report_is_a_workbook_by_the_periods_and_groups_one_asks(walk: Walker) -> None:
    browser = Browser(walk.app, "a_works")
    for name in STATISTICS:
        sent = browser.post(f"/statistics/{name}/export?p=2026&by=time&grain=month")
        assert sent.status_code == 200 and sent.data[:2] == b"PK", name
    with zipfile.ZipFile(io.BytesIO(browser.post("/statistics/illegal_building/new_points/export?p=all&by=street&chart=pie").data)) as book:
        assert "pieChart" in book.read("xl/charts/chart1.xml").decode()
    assert browser.get("/statistics/illegal_building/new_points?p=2026&by=street&top=5").status_code == 200
