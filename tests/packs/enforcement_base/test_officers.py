"""Officers' data: kept, checked against the city's platform, searched; contacts for notices; the talent pool."""
from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from engine.kernel.errors import Forbidden, Invalid, TryAgain
from engine.kernel.ids import new_id
from engine.registers.catalogue import get_register
from engine.registers.filters import read_asked
from engine.runtime.edit_record import change_record, create_record
from engine.runtime.queries import registers as query
from engine.runtime.record_form import answers_of_record
from tests.packs.enforcement_base.outside import Outside
from tests.packs.walk import Walker


class Keeping:
    """The district's officers on record, and how the keeper works with them."""

    def __init__(self, walk: Walker) -> None:
        self.walk, self.app = walk, walk.app

    def add(self, login: str = "staff", register: str = "officer", **data: Any) -> UUID:
        return create_record(self.app, actor=self.walk.actor(login), register=f"enforcement_base.{register}", data=data, key=new_id(), at=self.app.clock.now())

    def change(self, id: UUID, **changed: Any) -> None:
        declared, table = get_register(self.app.library, "enforcement_base.officer")
        staff = self.walk.actor("staff")
        with self.app.db.connect() as connection:
            record, _ = query.one(connection, actor=staff, register=declared, table=table, record_id=id)
        data = {**answers_of_record(declared, record.values), **changed}
        change_record(self.app, actor=staff, register=declared.name, record_id=id, data=data, reason="登记有误，已更正", rev=record.rev, at=self.app.clock.now())

    def rows(self, *pairs: tuple[str, str], login: str = "staff", register: str = "officer") -> list[Any]:
        declared, table = get_register(self.app.library, f"enforcement_base.{register}")
        with self.app.db.connect() as connection:
            asked = read_asked(declared, pairs, on=self.app.clock.today())
            return list(query.listed(connection, actor=self.walk.actor(login), register=declared, table=table, asked=asked).rows)


@pytest.fixture
def keeping(bureau_walk: Walker) -> Keeping:
    return Keeping(bureau_walk)


@pytest.mark.requirement("PEN-1328")
def test_numbers_are_checked_against_the_city_and_differences_are_worked_off(keeping: Keeping, outside: Outside) -> None:
    outside.start("city_officer_platform")
    walk = keeping.walk
    gu = keeping.add(name="顾明川", number="09010001", person=str(walk.actor("officer").person_id), valid_until="2030-12-31", qualifications=["food"], kind="enforcement")
    for name, number in (("许闻笛", "09010009"), ("周启衡", "09010008"), ("莫听澜", "09010007")):
        keeping.add(name=name, number=number, valid_until="2030-12-31")
    keeping.add(name="到期人", number="09010011", valid_until="2029-12-31")
    with pytest.raises(Forbidden):
        keeping.add("officer", name="别人", number="1")
    walk.start("staff", "enforcement_base.check_numbers", {"title": "十一月校对", "which": "all"})
    walk.run_jobs()
    assert {row.cells["name"]: row.cells["checked"] for row in keeping.rows()} == {
        "顾明川": "一致", "许闻笛": "市局平台查无此证", "周启衡": "不一致", "莫听澜": "不一致", "到期人": "不一致"}
    assert keeping.rows(("f.checked", "same"), ("col", "checked_on"))[0].cells["checked_on"] == "2026-11-20"
    told = {row.cells["name"]: row.cells["platform_says"] for row in keeping.rows(("col", "name"), ("col", "platform_says"))}
    assert told["周启衡"] == "持证人是另有其人" and told["莫听澜"] == "状态为暂扣" and told["到期人"] == "有效期到 2030-12-31" and told["顾明川"] == ""
    assert walk.case()["state"] == "differing" and walk.waiting() == {"handle"}
    for place, row in enumerate(keeping.rows(("f.checked", "different"))):
        keeping.change(row.id, number=f"0901002{place}")
    walk.do("staff", "handle", "done", {"handled": "证号已经更正。"}, opinion="")
    assert walk.case()["state"] == "closed"
    walk.start("staff", "enforcement_base.check_numbers", {"title": "再校对", "which": "differing"})
    walk.run_jobs()
    assert {row.cells["name"] for row in keeping.rows(("f.checked", "same"))} >= {"顾明川", "周启衡", "莫听澜"} and gu


@pytest.mark.requirement("PEN-1328")
def test_a_platform_that_is_away_is_asked_again(keeping: Keeping, outside: Outside) -> None:
    outside.start("city_officer_platform")
    keeping.add(name="顾明川", number="09010001", valid_until="2030-12-31")
    outside.mode("city_officer_platform", "down")
    keeping.walk.start("staff", "enforcement_base.check_numbers", {"title": "校对", "which": "all"})
    with pytest.raises(TryAgain):
        keeping.walk.run_jobs()
    assert keeping.rows()[0].cells["checked"] == "" and keeping.walk.case()["closed_at"] is None
    outside.mode("city_officer_platform", "ok")
    outside.again(keeping.walk)
    assert keeping.rows()[0].cells["checked"] == "一致" and keeping.walk.case()["state"] == "closed"


def test_nobody_to_check_is_told(keeping: Keeping) -> None:
    keeping.walk.start("staff", "enforcement_base.check_numbers", {"title": "校对", "which": "all"})
    assert keeping.walk.case()["state"] == "closed"


@pytest.mark.requirement("PEN-1328")
def test_contacts_for_notices_are_kept_by_each_office(keeping: Keeping) -> None:
    id = keeping.add("officer", "notice_contact", name="许闻笛", phone="021-60000001", purposes=["penalty_notice", "hearing_notice", "service"], procedures=["ordinary", "batch"])
    assert [row.cells["name"] for row in keeping.rows(("f.purposes", "hearing_notice"), ("f.procedures", "batch"), login="second", register="notice_contact")] == ["许闻笛"]
    assert keeping.rows(login="stranger", register="notice_contact") == [] and id
    with pytest.raises(Invalid):
        keeping.add("officer", "notice_contact", name="许闻笛", phone="021-60000001")


@pytest.mark.requirement("PEN-1329")
def test_good_officers_are_gathered_with_their_qualifications(keeping: Keeping) -> None:
    officer = keeping.add(name="顾明川", number="09010001")
    keeping.add(
        "staff", "talent", name="顾明川", officer=str(officer), fields=["food", "online"], qualifications=["法律职业资格"], grade="investigation", deeds="两年办结一百二十件一般程序案件，无撤销。",
        honours=["市级办案能手"], chosen_on="2026-11-01",
    )
    found = keeping.rows(("f.fields", "food"), ("f.qualifications", "法律职业资格"), register="talent", login="stranger")
    assert [(row.cells["name"], row.cells["grade"]) for row in found] == [("顾明川", "办案能手")]
    with pytest.raises(Forbidden):
        keeping.add("officer", "talent", name="自荐", fields=["food"], grade="legal", deeds="好", chosen_on="2026-11-01")
