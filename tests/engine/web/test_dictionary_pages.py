"""字典: the law unit of the city changes causes of action from a day on; cases that run keep what they were opened with."""
from __future__ import annotations

from datetime import date, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import text

from engine.access.staffing import create_account, create_person, give_post
from engine.form_filling.widgets.address import widget as address
from engine.kernel.clock import SHANGHAI, FixedClock
from engine.reference.dictionaries import load_dictionary
from engine.runtime.form_context import form_context
from engine.runtime.queries.case_page import head
from tests.browser import Browser
from tests.packs.ordinary_case import answers
from tests.packs.ordinary_case.case import OrdinaryCase, ordinary_case
from tests.town import SINCE

VIOLATION, STEP = "/admin/dictionaries/case_filing/violation", "/admin/dictionaries/ordinary_case/discretion_step"
NEW = {"title": "经营超过保质期的食品（新条款）", "detail.domain": "food_safety", "detail.law": "《中华人民共和国食品安全法》第三十四条第十一项",
       "detail.penalty": "《中华人民共和国食品安全法》第一百二十四条", "valid_from": "2026-12-01", "source": "《中华人民共和国食品安全法》（新修正）", "what": "change"}


@pytest.fixture
def keeper(town: Any) -> Browser:
    with town.app.db.begin() as connection:
        id = create_person(connection, name="乔知理", pinyin="keeper_of_law", at=town.app.clock.now())
        give_post(connection, person_id=id, unit_id=town.units["city_legal"], code="legal_staff", title="法制审核人员", valid_from=SINCE, main=True)
        create_account(connection, person_id=id, login="law_keeper", password_hash="-", at=town.app.clock.now(), must_change=False)
    return Browser(town.app, "law_keeper")


def law_of(case: OrdinaryCase) -> Any:
    """What a form on this case is told the violated law is."""
    form: Any = SimpleNamespace(name="ordinary_case.final_report", fields={})
    with case.app.db.connect() as connection:
        context = form_context(case.app, connection, actor=case.actor("officer"), form=form, at=case.at, case=head(connection, case_id=case.case_id))  # type: ignore[arg-type]
        return context.names["detail"]("case_filing.violation", "food_expired", "law"), [one.code for one in context.options("case_filing.violation", None)]


def test_a_new_version_holds_for_cases_opened_from_its_day_on(town: Any, clock: FixedClock, keeper: Browser) -> None:
    old = ordinary_case(town, clock)
    assert keeper.post(f"{VIOLATION}/food_expired", {**NEW, "valid_from": "2026-11-20"}).status_code == 422
    assert keeper.post(f"{VIOLATION}/food_expired", {**NEW, "source": " "}).status_code == 422
    assert keeper.post(f"{VIOLATION}/food_expired", NEW).status_code == 303
    assert keeper.post(f"{VIOLATION}/food_label", {"what": "end", "last_day": "2026-11-25", "source": "停用"}).status_code == 303
    shown = keeper.get(f"{VIOLATION}/food_expired").text
    assert "还没有生效" in shown
    assert "第三十四条第十一项" in shown
    for day in (21, 2):
        clock.set(datetime(2026, 11 if day == 21 else 12, day, 9, tzinfo=SHANGHAI))
        assert law_of(old)[0] == "《中华人民共和国食品安全法》第三十四条第十项"
    assert "food_label" in law_of(old)[1]
    new = ordinary_case(town, clock)
    assert law_of(new)[0] == "《中华人民共和国食品安全法》第三十四条第十一项"
    assert "food_label" not in law_of(new)[1]


def test_a_step_of_discretion_made_here_bounds_the_fine(town: Any, clock: FixedClock, keeper: Browser) -> None:
    step = {"code": "food_expired_tiny", "title": "货值不足一百元　从轻", "parent": "food_expired", "detail.fixed_low": "1,000", "detail.fixed_high": "2000", "detail.base": "处罚条款规定的数额",
            "valid_from": "2026-11-20", "source": "本市裁量基准"}
    assert keeper.post(STEP, {**step, "detail.fixed_low": "一千"}).status_code == 422
    assert keeper.post(STEP, {**step, "parent": "nothing"}).status_code == 422
    assert keeper.post(STEP, step).status_code == 303
    case = ordinary_case(town, clock)
    case.do("officer", "investigate", "finish", {"progress": "已查清。"})
    case.refused("officer", "draft", answers.report() | {"discretion": "food_expired_tiny", "fine": "5000.00"}, "fine_reason")
    case.do("officer", "draft", "submit", answers.report() | {"discretion": "food_expired_tiny", "fine": "1500.00"})


def test_who_does_not_keep_it_reads_only(town: Any) -> None:
    for login in ("officer", "legal_staff"):
        reader = Browser(town.app, login)
        assert "由法制机构维护" in reader.get(VIOLATION).text
        assert reader.post(f"{VIOLATION}/food_expired", NEW).status_code == 403
        assert reader.post(STEP, {"code": "x", "title": "甲", "valid_from": str(date(2026, 11, 21)), "source": "乙"}).status_code == 403
    assert reader.get("/admin/dictionaries").status_code == 200
    assert reader.get("/admin/dictionaries/case_filing/nothing").status_code == 404
    assert reader.get(f"{VIOLATION}/nothing").status_code == 404


CODES = ("310000", "310101", "310104", "310105", "310106", "310107", "310109", "310110", "310112", "310113", "310114", "310115", "310116", "310117", "310118", "310120", "310230")
"""Administrative codes as the guide of the government network lists them; 310230 is what 崇明 had before it became a district."""


@pytest.mark.requirement("NFM-074")
def test_administrative_areas_are_kept_by_administrators_and_chongming_is_known_by_both_codes(town: Any) -> None:
    area = "/admin/dictionaries/common/area"
    with town.app.db.begin() as connection:
        connection.execute(text("UPDATE account SET rights = '[\"admin\"]' WHERE login = 'keeper'"))
        found = load_dictionary(connection, dictionary="common.area")
        assert all(found.find(code) for code in CODES)
        assert found.title("310230") == found.title("310151") == "崇明区" and found.stored("310230", on=date(2026, 11, 20)) == {"code": "310151", "title": "崇明区"}
        assert [one.title for one in found.options(on=date(2026, 11, 20), parent="310230")][:2] == ["城桥镇", "堡镇"]
        form: Any = SimpleNamespace(name="case_filing.clue", fields={})
        context = form_context(town.app, connection, actor=town.actor("officer"), form=form, at=town.app.clock.now())
        field: Any = SimpleNamespace(title="地址", gc={})
        written = {"district": "310230", "street": "310151-chengqiaozhen", "detail": "人民路 1 号"}
        assert address.clean(field, written, context)["text"] == "上海市崇明区城桥镇人民路 1 号" and address.clean(field, written, context)["district"] == "310151"
    admin, officer = Browser(town.app, "keeper"), Browser(town.app, "officer")
    assert "崇明区" in admin.get(f"{area}?q=310230").text and "310230" in admin.get(f"{area}/310151").text
    new = {"code": "310151-xinzhen", "title": "新设镇", "parent": "310151", "valid_from": "2026-12-01", "source": "市政府批复"}
    assert officer.post(area, new).status_code == 403
    assert admin.post(area, new).status_code == 303
    assert admin.post(f"{area}/310151", {"title": "崇明区", "detail.aliases": "310230、310299", "valid_from": "2026-12-01", "source": "市政府批复", "what": "change"}).status_code == 303
    with town.app.db.connect() as connection:
        found = load_dictionary(connection, dictionary="common.area")
        assert found.title("310299") == "崇明区" and found.title("310151-xinzhen") == "新设镇"
