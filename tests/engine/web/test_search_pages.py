"""One box over cases, records, documents and parties: words from one character up, initials, marked, by rights."""
from __future__ import annotations

import pytest
from sqlalchemy import insert, text

from engine.kernel.ids import new_id
from engine.runtime.start_case import start_case
from engine.storage.tables.cases import case_party, party
from engine.web.search import marked
from tests.browser import Browser
from tests.engine.registers.test_field_kinds import Fleet
from tests.engine.registers.test_places import SITE, SITES
from tests.engine.runtime.walk import CLUE
from tests.town import Town


@pytest.fixture
def sites(town: Town) -> Fleet:
    fleet = Fleet(town)
    fleet.deploy("site.yaml", SITES.replace("scope: all", "scope: unit"))
    return fleet


def test_the_database_knows_short_words_and_initials(database: object) -> None:
    with database.connect() as connection:  # type: ignore[attr-defined]
        said = connection.execute(text("SELECT gc_words('行政处罚 ＡＢ')::text, gc_initials('曾国藩'), gc_initials('单记ABC店'), gc_initials('上海云浦')")).one()
    assert "'处罚'" in said[0] and "'ab'" in said[0] and said[1] == "zgf" and said[2] == "sjabcd" and said[3] == "shyp"


def test_records_are_found_by_one_two_and_more_characters_only_where_one_may_see_them(sites: Fleet) -> None:
    sites.add(SITE, name="鹅城食品店后院")
    head, outsider = Browser(sites.app, "head"), Browser(sites.app, "other_officer")
    for word in ("鹅", "食品", "食品店", "食品店 后院"):
        html = head.get("/search", query_string={"q": word}).get_data(as_text=True)
        assert "点位" in html and "<mark>" in html, word
    assert "没有找到" in head.get("/search?q=食堂").get_data(as_text=True)
    assert "没有找到" in head.get("/search?q=%25_").get_data(as_text=True)
    assert "没有找到" in outsider.get("/search?q=食品店").get_data(as_text=True)
    assert "食品店后院" in head.get("/registers/borrow_umbrella/site?q=食").get_data(as_text=True)


def test_what_is_cut_off_is_said(sites: Fleet) -> None:
    for place in range(8):
        sites.add(SITE, name=f"大棚 {place}")
    html = Browser(sites.app, "head").get("/search?q=大棚&in=records").get_data(as_text=True)
    assert "6 条以上，只列每类最近更新的" in html and html.count("<mark>大棚</mark>") == 6


def test_cases_and_parties_are_found_by_rights_and_by_initials(town: Town) -> None:
    app, at = town.app, town.app.clock.now()
    started = start_case(app, actor=town.actor("officer"), process="case_filing.clue_intake", data={**CLUE, "title": "鹅城食品店无证经营"}, outcome="submit", key=str(new_id()), at=at)
    with app.db.begin() as connection:
        id = new_id()
        connection.execute(insert(party).values(id=id, kind="organisation", name="云汀食品有限公司", identifier_kind="credit_code", created_at=at, updated_at=at, detail={}))
        connection.execute(insert(case_party).values(id=new_id(), case_id=started.case_id, party_id=id, role="party", snapshot={}, at=at))
    mine, theirs = Browser(app, "officer"), Browser(app, "other_officer")
    for word in ("ytsp", "汀", "云汀", "云汀食品"):
        html = mine.get("/search", query_string={"q": word, "in": "parties"}).get_data(as_text=True)
        assert "汀" in html and str(started.case_id) in html, word
        assert "没有找到" in theirs.get("/search", query_string={"q": word, "in": "parties"}).get_data(as_text=True), word
    for word in ("鹅", "无证", "鹅城食品店"):
        assert str(started.case_id) in mine.get("/search", query_string={"q": word}).get_data(as_text=True), word
        assert str(started.case_id) not in theirs.get("/search", query_string={"q": word}).get_data(as_text=True), word


def test_words_are_marked_whatever_their_width() -> None:
    assert marked("ＡＢ店<b>", "ab") == "<mark>ＡＢ</mark>店&lt;b&gt;" and marked("食品食品", "食品") == "<mark>食品食品</mark>" and marked("a b", "") == "a b"
