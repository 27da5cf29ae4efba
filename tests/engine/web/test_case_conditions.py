"""Advanced conditions on cases: groups of AND and OR within what the reader may see, said in words, kept under a name."""
from __future__ import annotations

import html
from datetime import timedelta
from urllib.parse import urlsplit

import orjson

from engine.kernel.ids import new_id
from engine.storage.tables.cases import case_file
from tests.browser import Browser
from tests.engine.web.test_register_conditions import tree_of
from tests.town import Town


def test_groups_narrow_the_cases_and_are_kept(town: Town) -> None:
    at = town.app.clock.now()
    with town.app.db.begin() as connection:
        for number, title, address, days, unit in (("一号", "擅自搭建", "余姚路1号", 1, "station_one"), ("二号", "无照经营", "余姚路9号", 30, "station_one"), ("三号", "无照经营", "长寿路3号", 2, "station_one"), ("四号", "擅自搭建", "余姚路5号", 1, "station_two")):
            connection.execute(case_file.insert().values(
                id=new_id(), kind="borrow_umbrella.loan", number=number, title=title, address=address, state="open", state_title="在办", unit_id=town.units[unit], district_id=town.units["district"],
                created_at=at - timedelta(days=days), updated_at=at - timedelta(days=days),
            ))
    browser = Browser(town.app, "head")
    since = f"{at - timedelta(days=5):%Y-%m-%d}"
    tree = {"all": [{"field": "address", "has": ["余姚路"]}, {"any": [{"field": "title", "is": ["无照经营"]}, {"field": "created_at", "from": since}]}]}
    sent = {"tree": orjson.dumps(tree).decode(), "f.0": "address", "o.0": "has", "v.0": "余姚路", "f.1.0": "title", "o.1.0": "is", "v.1.0": "无照经营", "f.1.1": "created_at", "o.1.1": "range", "from.1.1": since}
    assert tree_of(browser.get("/cases/conditions")) == {"all": []} and tree_of(browser.post("/cases/conditions", {**sent, "act": "stay"})) is not None
    shown = browser.post("/cases/conditions?state=all", {**sent, "act": "show"})
    assert shown.status_code == 302 and "state=all" in shown.location
    page = html.unescape(browser.get(shown.location).text)
    assert "一号" in page and "二号" in page and "三号" not in page and "四号" not in page
    assert f"地址含有余姚路 并且 （案由、标题是无照经营 或者 登记时间不小于 {since}）" in page
    query = urlsplit(shown.location).query
    browser.post(f"/cases/views?{query}", {"title": "余姚路的"})
    kept = browser.get("/cases").text
    assert "余姚路的" in kept and "余姚路的" not in Browser(town.app, "officer").get("/cases").text
    assert tree_of(browser.get(f"/cases/conditions?{query}")) == {"all": [{"field": "address", "has": ["余姚路"]}, {"any": [{"field": "title", "is": ["无照经营"]}, {"field": "created_at", "from": since}]}]}
    assert browser.get("/cases?w={").status_code == 422 and browser.get('/cases?w={"field":"mac","is":"1"}').status_code == 422
