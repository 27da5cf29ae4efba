"""Records that may be one: close, and alike by address and name; what the score is made of is said; a procedure can ask."""
from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from engine.kernel.errors import BusinessError
from engine.registers.catalogue import get_register
from engine.registers.duplicates import find_alike, tidy
from engine.registers.scope import visible
from engine.runtime.standard.duplicates import find_duplicates
from tests.browser import Browser
from tests.engine.registers.test_field_kinds import Fleet
from tests.engine.registers.test_places import SITE
from tests.town import Town

SITES = """
title: 点位
scope: unit
fields:
  name: {title: 名称, list: true, search: true, required: true}
  address: {title: 地址, list: true, search: true}
  place: {title: 位置, type: point}
"""
HERE = {"name": "天台搭建", "address": "云浦区梧桐里45弄7号西侧", "place": "121.4737,31.2304"}


@pytest.fixture
def sites(town: Town) -> Fleet:
    fleet = Fleet(town)
    fleet.deploy("site.yaml", SITES)
    return fleet


def alike(sites: Fleet, login: str = "head", **values: Any) -> list[tuple[str, str]]:
    declared, table = get_register(sites.app.library, SITE)
    with sites.app.db.connect() as connection:
        seen = visible(declared, table, sites.town.actor(login), table.c.id)
        return [(one.title, one.why) for one in find_alike(connection, register=declared, table=table, seen=seen, values=values)]


def test_the_close_and_alike_are_found_with_reasons(sites: Fleet) -> None:
    sites.add(SITE, **HERE)
    sites.add(SITE, name="围墙", address="望江路9号", place="121.4738,31.2304")
    sites.add(SITE, name="天台搭建", address="云浦区梧桐里45弄7号西侧", place="121.49,31.24")
    at = {"lon": 121.4738, "lat": 31.2305}
    found = alike(sites, place=at, address="上海市云浦区 梧桐里 四五弄7号 西侧", name="天台搭建")
    assert found == [("天台搭建", "相距 15 米，地址相似 100%，名称相似 100%")]
    assert [title for title, _ in alike(sites, address="云浦区梧桐里45弄7号西侧", name="天台搭建")] == ["天台搭建", "天台搭建"]
    assert alike(sites) == [] and alike(sites, place={"lon": 121.6, "lat": 31.2}) == []
    assert tidy("上海市 一二号（西）") == "12号西"


def test_a_procedure_branches_on_what_is_found(sites: Fleet) -> None:
    id = sites.add(SITE, **HERE)
    with sites.app.db.connect() as connection:
        context: Any = SimpleNamespace(app=sites.app, connection=connection, process="borrow_umbrella.borrow_umbrella", work=SimpleNamespace(actor=sites.town.actor("head")))
        told = find_duplicates(context, register="site", place={"lon": 121.4737, "lat": 31.2304}, address=HERE["address"], name="天台搭建")
        assert told["count"] == 1 and told["best"] == 1 and told["found"][0]["id"] == str(id) and "相距 0 米" in told["told"]
        assert find_duplicates(context, register="site", place="121.6,31.3")["count"] == 0
        with pytest.raises(BusinessError, match="写反"):
            find_duplicates(context, register="site", place="31.2,121.4")


def test_the_page_warns_while_registering_and_afterwards(sites: Fleet) -> None:
    first = sites.add(SITE, **HERE)
    browser = Browser(sites.app, "head")
    sent = {"data.name": "天台搭建", "data.address": HERE["address"], "data.place.lon": "121.4737", "data.place.lat": "31.2304"}
    warned = browser.post("/registers/borrow_umbrella/site/alike", sent).get_data(as_text=True)
    assert "可能重复" in warned and str(first) in warned
    assert "填了位置" in browser.post("/registers/borrow_umbrella/site/alike", {}).get_data(as_text=True)
    made = browser.post("/registers/borrow_umbrella/site/new", sent, follow_redirects=True).get_data(as_text=True)
    assert "有 1 条可能重复" in made and "相似度" in made and "相距 0 米" in made
    assert "查重复" in browser.get(f"/registers/borrow_umbrella/site/{first}").get_data(as_text=True)
