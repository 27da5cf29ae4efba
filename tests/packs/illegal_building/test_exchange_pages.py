"""数据交换 in the browser: how each stands, 对账, fetching what was missed, stopping; for operators only."""
from __future__ import annotations

from typing import Any

from engine.access.staffing import create_account, create_person, give_post
from engine.runtime.exchange.run_exchange import run_exchange
from tests.browser import Browser
from tests.packs.illegal_building.test_exchange import GRID, outside, told
from tests.packs.walk import SINCE, Walker

__all__ = ["outside"]


def test_an_operator_sees_compares_fetches_and_stops(walk: Walker, outside: Any) -> None:
    with walk.app.db.begin() as connection:
        person = create_person(connection, name="值守员", pinyin="zhishou", at=walk.at)
        give_post(connection, person_id=person, unit_id=walk.bureau.units["CG-JD"], code="operator", title="运行值守", valid_from=SINCE, main=True)
        create_account(connection, person_id=person, login="watch", password_hash="-", at=walk.at, rights=("operator", "see_all_cases"), must_change=False)
    there = outside("grid_system", cases=[told(1), told(2, unit_code="没有")])
    run_exchange(walk.app, name=GRID)
    browser = Browser(walk.app, "watch")
    page = browser.get("/exchanges").text
    assert "网格化案件" in page and "正常" in page and "没有接入" in page
    there.state.feeds["cases"].append(told(3))
    there.state.feeds["cases"][1]["unit_code"] = "CG-A-J2"
    page = browser.get(f"/exchanges/{GRID}?day=2026-11-19").text
    assert "对方 <b>3</b> 条，这里 <b>2</b> 条，有出入" in page and "WG003" in page and "没有代码为“没有”的单位" in page
    browser.post(f"/exchanges/{GRID}/fetch", {"key": ["WG003", "WG002"], "day": "2026-11-19"})
    assert "一致。" in browser.get(f"/exchanges/{GRID}?day=2026-11-19").text
    there.behave("down")
    assert "答复 503" in browser.get(f"/exchanges/{GRID}?day=2026-11-19").text
    assert browser.post(f"/exchanges/{GRID}/stop", {"reason": ""}).status_code == 422
    browser.post(f"/exchanges/{GRID}/stop", {"reason": "对方升级"})
    assert "对方升级" in browser.get(f"/exchanges/{GRID}").text and "已停止" in browser.get("/exchanges").text
    browser.post(f"/exchanges/{GRID}/resume")
    browser.post(f"/exchanges/{GRID}/run")
    assert "没有接收" in browser.get(f"/exchanges/{GRID}?state=refused").text
    assert Browser(walk.app, "a1_street").get("/exchanges").status_code == 403
