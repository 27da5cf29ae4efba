"""地址定位 in the browser: the page for many lines, the answers that the forms' buttons ask for, the button itself."""
from __future__ import annotations

from typing import Any

import pytest

from tests.browser import Browser
from tests.packs.walk import Walker


@pytest.mark.requirement("CMD-023")
def test_the_page_and_the_answers_of_the_buttons(city: Walker) -> None:
    browser = Browser(city.app, "a1_street")
    page = browser.post("/places", {"addresses": "静安区余姚路301号\n\n曹杨一村12号301室\n火星路1号"}).text
    assert "3 个地址，1 个要核对" in page and "普陀区曹杨一村12号" in page and "没有找到这个地址" in page and "data-map-shown" in page
    found: Any = browser.get("/places/locate?address=余姚路281号").json
    assert found["doubt"] == "" and found["found"][0]["title"] == "静安区余姚路281号" and found["by"] == "本地地名库"
    lon, lat = found["found"][0]["lon"], found["found"][0]["lat"]
    near: Any = browser.get(f"/places/nearest?lon={lon}&lat={lat}").json
    assert near["found"][0]["title"] == "静安区余姚路281号"
    moved: Any = browser.get(f"/places/nearest?lon={lon}&lat={lat}&datum=gcj02").json
    assert moved["place"] != near["place"] and moved["found"][:1] != near["found"][:1]
    page = browser.post("/places", {"place": f"{lon},{lat}", "datum": "bd09"}).text
    assert "在 CGCS2000 里是" in page
    assert browser.post("/places", {"place": "31,121"}).status_code == 422
    assert browser.post("/places", {"addresses": "余姚路1号\n" * 201}).status_code == 422
    form = browser.get("/start/illegal_building/point_intake").text
    assert 'data-place-address="address"' in form and 'data-place-locate="/places/locate"' in form and 'data-place-nearest="/places/nearest"' in form
    change = browser.get("/start/illegal_building/point_change").text
    assert 'data-place-address="address"' in change or "data-place" not in change
