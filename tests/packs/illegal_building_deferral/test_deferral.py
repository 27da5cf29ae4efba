"""Points put off for two years or without end, made good by certificates, tested for safety; what happens when a term is over."""
from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from engine.kernel.clock import FixedClock
from engine.kernel.errors import Forbidden, Invalid
from engine.registers.catalogue import get_register
from engine.registers.filters import read_asked
from engine.runtime.act_on_many import Item, batch_complete
from engine.runtime.export_register import export_list
from engine.runtime.run_clock_steps import run_clock_steps
from engine.storage.tables.runtime import task
from tests.packs.illegal_building.points import make, newest, point, record, records, state
from tests.packs.walk import Walker

PACK = "illegal_building_deferral"
POINT, LIBRARY, CLOSING = "illegal_building.point", f"{PACK}.deferral", "illegal_building.closing"


def request(id: UUID) -> dict[str, Any]:
    return {"point": str(id), "title": "西侧加建", "reason": "history", "words": "一九九〇年以前搭建。"}


def later(walk: Walker, clock: FixedClock, day: date) -> None:
    clock.set(datetime(day.year, day.month, day.day, 1, 0, tzinfo=UTC))
    run_clock_steps(walk.app, clock.now())
    walk.run_jobs()


def deferred(walk: Walker) -> UUID:
    id = point(walk)
    walk.start("a1_street", f"{PACK}.city_deferral", request(id))
    walk.do("a_chief", "district_review")
    walk.do("city_chief", "city_review")
    return id


def test_a_city_deferral_is_agreed_by_district_and_city_and_holds_two_years(walk: Walker) -> None:
    id = point(walk)
    walk.start("a1_street", f"{PACK}.city_deferral", request(id))
    assert walk.holders("district_review") == {"a_chief"}
    walk.do("a_chief", "district_review")
    assert (walk.holders("city_review"), record(walk, POINT, id)["status"], records(walk, LIBRARY)) == ({"city_chief"}, "open", [])
    walk.do("city_chief", "city_review")

    kept = newest(walk, LIBRARY)
    assert (record(walk, POINT, id)["status"], state(walk), walk.waiting()) == ("deferred_city", "暂缓中", set())
    assert (kept["point"], kept["level"], kept["state"], kept["from"], kept["until"]) == (id, "city", "valid", date(2026, 11, 20), date(2028, 11, 20))


def test_before_the_end_people_are_warned_and_at_the_end_the_point_is_open_again(walk: Walker, clock: FixedClock) -> None:
    id = deferred(walk)
    later(walk, clock, date(2028, 8, 25))
    assert any("九十天" in text for text in notices(walk, "a1_street"))
    assert record(walk, POINT, id)["status"] == "deferred_city"
    later(walk, clock, date(2028, 11, 20))
    assert record(walk, POINT, id)["status"] == "deferred_city"
    later(walk, clock, date(2028, 11, 21))
    assert (record(walk, POINT, id)["status"], newest(walk, LIBRARY)["state"], state(walk)) == ("open", "expired", "已到期")


def test_a_point_taken_down_meanwhile_stays_closed_when_its_deferral_is_over(walk: Walker, clock: FixedClock) -> None:
    id = deferred(walk)
    case = walk.case_id
    walk.start("a1_street", "illegal_building.demolition", {"point": str(id), "removed_on": "2026-11-20", "area": 20, "way": "self", "words": "自行拆除。"})
    walk.do("a_chief", "district_review")
    walk.case_id = case
    later(walk, clock, date(2028, 11, 21))
    assert (record(walk, POINT, id)["status"], state(walk)) == ("closed", "已到期")


def many(walk: Walker, login: str, node: str) -> None:
    """The desk's batch: whoever has several of these steps agrees to all at once."""
    with walk.app.db.connect() as connection:
        ids = list(connection.scalars(select(task.c.id).where(task.c.node == node, task.c.status == "open")))
    items = [Item(task_id=id, key=f"many-{id}", outcome="approve", opinion="同意。") for id in ids]
    assert [one.ok for one in batch_complete(walk.app, actor=walk.actor(login), items=items, at=walk.at)] == [True, True]


def exported(walk: Walker, login: str, register: str) -> int:
    """How many bytes of Excel the list gives to this person."""
    declared, _ = get_register(walk.app.library, register)
    made = export_list(walk.app, actor=walk.actor(login), register=register, asked=read_asked(declared, [], on=walk.at.date()), at=walk.at)
    assert made.sm3 is not None
    return len(walk.app.blobs.get(made.sm3))


@pytest.mark.requirement("CMD-048")
def test_city_deferrals_are_reviewed_in_batches_on_both_levels_hold_two_years_and_are_exported(walk: Walker) -> None:
    for _ in range(2):
        walk.start("a1_street", f"{PACK}.city_deferral", request(point(walk)))
    many(walk, "a_chief", "district_review")
    many(walk, "city_chief", "city_review")
    assert [(one["state"], one["until"]) for one in records(walk, LIBRARY)] == [("valid", date(2028, 11, 20))] * 2
    assert exported(walk, "city_works", LIBRARY) > 1000


@pytest.mark.requirement("CMD-049")
def test_district_deferrals_are_reviewed_in_a_batch_enter_the_library_and_are_exported(walk: Walker) -> None:
    for _ in range(2):
        walk.start("a1_street", f"{PACK}.district_deferral", request(point(walk)))
    many(walk, "a_chief", "district_review")
    assert [one["level"] for one in records(walk, LIBRARY)] == ["district"] * 2
    assert walk.holders("city_file") == {"city_works"}
    assert exported(walk, "a_works", LIBRARY) > 1000


@pytest.mark.parametrize("level", ["city", "district"])
def test_a_deferral_ends_early_when_the_district_agrees(walk: Walker, clock: FixedClock, level: str) -> None:
    id = deferred(walk) if level == "city" else filed(walk)
    walk.matter("a1_street", f"{PACK}.end_deferral", {"reason": "已列入征收。"})
    walk.do("a_chief", "district_review", "send_back", opinion="附征收决定。")
    walk.do("a1_street", "apply", "submit", {"reason": "已列入征收，决定附后。"})
    walk.do("a_chief", "district_review")
    walk.run_jobs()
    kept = newest(walk, LIBRARY)
    assert (record(walk, POINT, id)["status"], kept["state"], state(walk)) == ("open", "ended", "已提前终止" if level == "city" else "已终止")
    later(walk, clock, date(2028, 11, 25))
    assert state(walk) in ("已提前终止", "已终止")


def filed(walk: Walker) -> UUID:
    id = point(walk)
    walk.start("a1_street", f"{PACK}.district_deferral", request(id))
    walk.do("a_chief", "district_review")
    walk.do("city_works", "city_file", "filed", {})
    return id


def test_a_district_deferral_is_agreed_by_the_district_and_only_filed_by_the_city(walk: Walker) -> None:
    id = point(walk)
    walk.start("a1_street", f"{PACK}.district_deferral", request(id))
    walk.do("a_chief", "district_review")
    assert (record(walk, POINT, id)["status"], newest(walk, LIBRARY)["until"], walk.holders("city_file")) == ("deferred_district", None, {"city_works"})
    for outcome in ("send_back", "refuse"):
        with pytest.raises(Invalid):
            walk.do("city_works", "city_file", outcome, {}, "不同意。")
    walk.do("city_works", "city_file", "filed", {})
    assert (newest(walk, LIBRARY)["filed_on"], state(walk), walk.clocks()) == (date(2026, 11, 20), "暂缓中", [])


@pytest.mark.parametrize("who", [("a_chief", "district_review"), ("city_chief", "city_review")])
@pytest.mark.parametrize(("outcome", "told"), [("send_back", "退回修改"), ("refuse", "不予同意")])
def test_either_level_may_send_a_deferral_back_or_refuse_it(walk: Walker, who: tuple[str, str], outcome: str, told: str) -> None:
    id = point(walk)
    walk.start("a1_street", f"{PACK}.city_deferral", request(id))
    if who[1] == "city_review":
        walk.do("a_chief", "district_review")
    walk.do(*who, outcome, opinion="材料不全。")
    assert (state(walk), record(walk, POINT, id)["status"], records(walk, LIBRARY)) == (told, "open", [])


def test_a_deferred_point_is_not_deferred_again(walk: Walker) -> None:
    id = deferred(walk)
    with pytest.raises(Invalid) as refused:
        walk.start("a1_street", f"{PACK}.district_deferral", request(id))
    assert set(refused.value.fields) == {"point"}


@pytest.mark.requirement("CMD-053")
def test_one_certificate_closes_every_point_that_it_names(walk: Walker) -> None:
    ids = [point(walk, title=f"第 {n} 处", area=10 + n) for n in range(3)]
    data = {"title": "规划许可补证", "certificate": "沪规补〔2026〕0001号", "issued_on": "2026-11-10", "points": [{"point": str(id)} for id in ids[:2]]}
    walk.start("a_works", f"{PACK}.certificate", data)
    assert [one["status"] for one in records(walk, POINT)] == ["open"] * 3
    assert walk.holders("city_review") == {"city_chief"}
    walk.do("city_chief", "city_review")
    assert [record(walk, POINT, id)["status"] for id in ids] == ["closed", "closed", "open"]
    assert [(one["way"], one["certificate"], one["area"]) for one in records(walk, CLOSING)] == [("certificate", "沪规补〔2026〕0001号", 10 + n) for n in range(2)]
    with pytest.raises(Invalid):
        walk.start("a_works", f"{PACK}.certificate", data)
    with pytest.raises(Forbidden):
        walk.start("a1_street", f"{PACK}.certificate", data)


def test_a_certificate_without_points_or_with_one_twice_is_refused(walk: Walker) -> None:
    id = str(point(walk))
    for points in ([], [{"point": id}, {"point": id}]):
        with pytest.raises(Invalid) as refused:
            walk.start("a_works", f"{PACK}.certificate", {"title": "补证", "certificate": "1号", "issued_on": "2026-11-10", "points": points})
        assert any(name.startswith("points") for name in refused.value.fields)


def double_test(id: UUID, **changes: Any) -> dict[str, Any]:
    return {
        "point": str(id), "title": "双检测", "safety_on": "2026-11-01", "safety_result": "pass", "safety_agency": "某房屋检测站", "fire_on": "2026-11-05",
        "fire_result": "pass", "fire_agency": "某消防检测公司", **changes}


@pytest.mark.requirement("CMD-054")
def test_double_tests_are_reviewed_in_a_batch_and_exported_and_again_after_the_cycle(walk: Walker, clock: FixedClock) -> None:
    id = point(walk)
    for missing in ("safety_result", "fire_on"):
        with pytest.raises(Invalid) as refused:
            walk.start("a1_street", f"{PACK}.safety_test", double_test(id, **{missing: None}))
        assert set(refused.value.fields) == {missing}
    walk.start("a1_street", f"{PACK}.safety_test", double_test(point(walk)))
    walk.start("a1_street", f"{PACK}.safety_test", double_test(id))
    many(walk, "a_chief", "district_review")
    assert exported(walk, "a_works", f"{PACK}.safety_test") > 1000
    assert (newest(walk, f"{PACK}.safety_test")["next_on"], state(walk)) == (date(2028, 11, 1), "检测有效")
    later(walk, clock, date(2028, 11, 2))
    assert state(walk) == "要再次检测"
    assert any("组织下一次检测" in text for text in notices(walk, "a1_street"))


@pytest.mark.requirement("CMD-055")
def test_the_city_checks_several_tests_at_once_and_exports_them(walk: Walker) -> None:
    ids = [make(walk, f"{PACK}.safety_test", title=f"检测 {n}", safety_on="2026-01-01", safety_result="pass", fire_on="2026-01-02", fire_result="pass") for n in range(2)]
    checks = [{"test": str(ids[0]), "result": "real"}, {"test": str(ids[1]), "result": "unreal", "words": "报告日期不符。"}]
    walk.start("city_works", f"{PACK}.spot_check", {"title": "第四季度抽查", "checks": checks})
    assert [record(walk, f"{PACK}.safety_test", id)["spot_result"] for id in ids] == ["real", "unreal"]
    assert exported(walk, "city_works", f"{PACK}.safety_test") > 1000
    with pytest.raises(Forbidden):
        walk.start("a_works", f"{PACK}.spot_check", {"title": "抽查", "checks": checks})


def notices(walk: Walker, login: str) -> list[str]:
    from sqlalchemy import select

    from engine.storage.tables.organisation import notice

    with walk.app.db.connect() as connection:
        return list(connection.scalars(select(notice.c.text).where(notice.c.person_id == walk.actor(login).person_id)))
