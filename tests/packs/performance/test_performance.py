"""绩效指标: each rate has its numerator and denominator from the register, and a click shows which records they are."""
from __future__ import annotations

import re
from typing import Any

import pytest

from engine.kernel.errors import Forbidden
from engine.kernel.ids import new_id
from engine.runtime.edit_record import create_record
from tests.browser import Browser
from tests.packs.walk import Walker


@pytest.mark.requirement("NFM-016")
@pytest.mark.requirement("NFM-017")
@pytest.mark.requirement("NFM-018")
def test_rates_are_counted_from_what_was_planned_and_what_was_done(squads: Walker) -> None:
    def add(register: str, login: str = "city_staff", **data: Any) -> None:
        create_record(squads.app, actor=squads.bureau.actors[login], register=f"performance.{register}", data=data, key=new_id(), at=squads.app.clock.now())

    for name, kind, planned, collected in (("企业基础信息", "basic", 800, 700), ("违建点位", "basic", 200, 200), ("执法证", "licence", 50, 40), ("热线工单", "other", 100, 100)):
        add("collection", name=name, kind=kind, planned=planned, collected=collected, counted_on="2026-11-20")
    people = [squads.bureau.actors[login].person_id for login in ("a1_officer", "a1_second", "a2_officer", "b1_officer")]
    for person, state, qualified in zip(people, ("issued", "issued", "returned", "planned"), (True, False, True, None), strict=True):
        add("certificate", holder=str(person), state=state, **({} if qualified is None else {"qualified": qualified}))
    for name, passed in (("违建相似图斑", True), ("投诉分类", True), ("风险评分", True), ("词句检查", False)):
        add("model", name=name, passed=passed)
    with pytest.raises(Forbidden):
        add("model", "a1_officer", name="别人的", passed=True)
    officer = Browser(squads.app, "a2_head")
    for statistic, rates in (("collection", ("90.00", "80.00", "90.43")), ("certificates", ("75.00", "66.67")), ("models", ("75.00",))):
        page = officer.get(f"/statistics/performance/{statistic}?p=all").text
        words = re.sub(r"<[^>]+>", " ", page)
        assert all(f" {rate} " in words for rate in rates), (statistic, rates)
    listed = officer.get("/registers/performance/certificate?f.state=planned").text
    assert "许闻笛" in listed and "顾明川" not in listed
