"""A point is registered, changed, disposed of, checked in the field and taken down; each step reviewed by the district."""
from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from engine.form_filling.attachments import store_attachment
from engine.kernel.errors import Forbidden, Invalid
from engine.registers.catalogue import get_register
from engine.registers.scope import visible
from engine.runtime.import_register import require_import
from tests.browser import Browser
from tests.packs.illegal_building.points import intake, make, new_point, point, record, records, state
from tests.packs.walk import Walker

POINT, CENSUS, CLOSING = "illegal_building.point", "illegal_building.census", "illegal_building.closing"


def test_a_street_registers_a_point_and_it_gets_a_number(walk: Walker) -> None:
    id = new_point(walk)

    kept = record(walk, POINT, id)
    assert (kept["status"], kept["kind"], kept["street"], kept["number"]) == ("open", "new", walk.bureau.units["CG-A-J1"], "沪城管云违〔2026〕00001号")
    assert kept["owner_phone"] != "13800000000"
    assert (state(walk), walk.waiting(), walk.case()["number"]) == ("已登记", set(), "沪城管云违办〔2026〕00001号")


@pytest.mark.parametrize(("field", "value"), [("title", None), ("area", None), ("found_on", "2027-01-01"), ("location", {"lon": 31.2}), ("owner_phone", "12")])
def test_what_is_incomplete_or_impossible_is_refused_with_the_field(walk: Walker, field: str, value: Any) -> None:
    with pytest.raises(Invalid) as refused:
        walk.start("a1_street", "illegal_building.point_intake", intake(**{field: value}))
    assert set(refused.value.fields) == {field}


@pytest.mark.parametrize(("outcome", "points", "told"), [("new", 2, "已登记"), ("same", 1, "重复未登记")])
def test_a_second_point_at_one_address_is_looked_at_by_the_district(walk: Walker, outcome: str, points: int, told: str) -> None:
    new_point(walk)
    walk.start("a1_street", "illegal_building.point_intake", intake(title="同一处再报"))
    assert (walk.holders("confirm_new"), state(walk)) == ({"a_works"}, "核对重复")
    walk.do("a_works", "confirm_new", outcome)
    assert (len(records(walk, POINT)), state(walk)) == (points, told)


@pytest.mark.parametrize(("metres", "asked"), [(11, True), (40, False)])
def test_a_point_that_lies_near_another_is_looked_at_though_its_address_differs(walk: Walker, metres: int, asked: bool) -> None:
    new_point(walk)
    walk.start("a1_street", "illegal_building.point_intake", intake(address="北弄 3 号", location={"lon": 121.45, "lat": 31.23 + metres / 111_000}))
    assert (walk.waiting() == {"confirm_new"}) is asked


def test_the_district_sends_a_doubtful_point_back_to_the_street(walk: Walker) -> None:
    new_point(walk)
    walk.start("a1_street", "illegal_building.point_intake", intake())
    walk.do("a_works", "confirm_new", "send_back", opinion="地址写到门牌号。")
    assert walk.holders("enter") == {"a1_street"}
    walk.do("a1_street", "enter", "submit", intake(address="东街道某路 14 号", location={"lon": 121.47, "lat": 31.23}))
    assert state(walk) == "已登记"


@pytest.mark.requirement("CMD-003")
def test_the_district_turns_records_of_the_census_into_points_that_keep_their_origin(walk: Walker) -> None:
    street = str(walk.bureau.units["CG-A-J1"])
    ids = [make(walk, CENSUS, unit="CG-A-CW", code=f"P{n}", title=f"普查点 {n}", street=street, address=f"某弄 {n} 号", area=10 + n, surveyed_on="2024-05-01", state="pending") for n in range(3)]
    walk.start("a_works", "illegal_building.census_transfer", {"title": "转存量", "kind": "stock", "records": [{"census": str(id)} for id in ids[:2]]})

    made = records(walk, POINT)
    assert [(one["title"], one["kind"], one["source"], one["census"], str(one["unit_id"])) for one in made] == [
        (f"普查点 {n}", "stock", "census", ids[n], street) for n in range(2)]
    assert [record(walk, CENSUS, id)["state"] for id in ids] == ["transferred", "transferred", "pending"]
    assert state(walk) == "已转移"
    with pytest.raises(Invalid):
        walk.start("a_works", "illegal_building.census_transfer", {"title": "再转一次", "kind": "stock", "records": [{"census": str(ids[0])}]})


def change(id: Any, **more: Any) -> dict[str, Any]:
    return {"point": str(id), "change_kind": "change", "reason": "实测面积不同。", "title": "东街道某路 12 号楼顶搭建", "kind": "new", "address": "东街道某路 12 号", "area": 40, **more}


@pytest.mark.requirement("CMD-005")
def test_a_change_reaches_the_register_only_when_the_district_agrees(walk: Walker) -> None:
    id = new_point(walk)
    walk.start("a1_street", "illegal_building.point_change", change(id))
    assert (record(walk, POINT, id)["area"], walk.holders("district_review"), state(walk)) == (36.5, {"a_chief"}, "审核中")
    walk.do("a_chief", "district_review")
    kept = record(walk, POINT, id)
    assert (kept["area"], kept["structure"], state(walk)) == (40, "panel", "已办结")


@pytest.mark.parametrize(("outcome", "told"), [("send_back", "退回修改"), ("refuse", "不予同意")])
def test_a_removal_that_is_not_agreed_to_removes_nothing(walk: Walker, outcome: str, told: str) -> None:
    id = point(walk)
    walk.start("a1_street", "illegal_building.point_change", {"point": str(id), "change_kind": "remove", "reason": "重复。"})
    walk.do("a_chief", "district_review", outcome, opinion="请说明与哪一条重复。")
    assert (len(records(walk, POINT)), state(walk)) == (1, told)
    if outcome == "send_back":
        walk.do("a1_street", "apply", "delete", {"point": str(id), "change_kind": "remove", "reason": "重复。"}, "")
        assert state(walk) == "已删除"


@pytest.mark.requirement("CMD-005")
def test_an_agreed_removal_takes_the_point_out(walk: Walker) -> None:
    id = point(walk)
    walk.start("a1_street", "illegal_building.point_change", {"point": str(id), "change_kind": "remove", "reason": "重复。"})
    walk.do("a_chief", "district_review")
    assert records(walk, POINT) == [] and record(walk, POINT, id)["deleted_reason"] == "经审核删除"


@pytest.mark.requirement("CMD-043")
@pytest.mark.requirement("CMD-044")
@pytest.mark.parametrize(("action", "number"), [("annotated", None), ("filed", "沪城管云立〔2026〕000001号"), ("ordered", None)])
def test_a_disposal_is_entered_reviewed_and_noted_on_the_point(walk: Walker, action: str, number: str | None) -> None:
    id = point(walk)
    data = {"point": str(id), "action": action, "acted_on": "2026-11-19", "case_number": number, "words": "现场告知当事人。"}
    walk.start("a1_street", "illegal_building.disposal", data)
    walk.do("a_chief", "district_review", "send_back", opinion="缺现场照片。")
    assert walk.holders("apply") == {"a1_street"}
    walk.do("a1_street", "apply", "submit", data)
    walk.do("a_chief", "district_review")
    kept = record(walk, POINT, id)
    assert (kept["status"], kept["case_number"], state(walk)) == (action, number, "已办结")


def test_a_filed_point_needs_its_case_number(walk: Walker) -> None:
    with pytest.raises(Invalid) as refused:
        walk.start("a1_street", "illegal_building.disposal", {"point": str(point(walk)), "action": "filed", "acted_on": "2026-11-19", "words": "立案。"})
    assert set(refused.value.fields) == {"case_number"}


@pytest.mark.requirement("CMD-006")
def test_a_demolition_closes_the_point_and_enters_the_closed_ones(walk: Walker) -> None:
    id = point(walk)
    data = {"point": str(id), "removed_on": "2026-11-19", "area": 18, "way": "self", "words": "当事人自行拆除。"}
    walk.start("a1_street", "illegal_building.demolition", data)
    walk.do("a_chief", "district_review")
    kept, (closing,) = record(walk, POINT, id), records(walk, CLOSING)
    assert (kept["status"], kept["close_way"], str(kept["closed_on"])) == ("closed", "demolished", "2026-11-19")
    assert (closing["point"], closing["area"], closing["way"], closing["unit_id"]) == (id, 18, "demolished", walk.bureau.units["CG-A-J1"])
    with pytest.raises(Invalid) as refused:
        walk.start("a1_street", "illegal_building.demolition", data)
    assert set(refused.value.fields) == {"point"}


def test_a_check_in_the_field_corrects_the_point_once_it_is_reviewed(walk: Walker) -> None:
    id = point(walk)
    walk.start("a1_street", "illegal_building.field_check", {
        "point": str(id), "finding": "different", "checked_on": "2026-11-20", "opinion": "实测二十五平方米。", "title": "西侧加建", "kind": "stock", "address": "某路 8 号", "area": 25})
    walk.do("a_chief", "district_review")
    kept = record(walk, POINT, id)
    assert (kept["area"], str(kept["verified_on"])) == (25, "2026-11-20")


def test_streets_see_their_own_points_districts_theirs_and_the_city_all(walk: Walker) -> None:
    for unit in ("CG-A-J1", "CG-A-J2", "CG-B-J1"):
        point(walk, unit=unit)
    register, table = get_register(walk.app.library, POINT)

    def seen(login: str) -> int:
        with walk.app.db.connect() as connection:
            return len(connection.execute(visible(register, table, walk.actor(login), table.c.id)).all())

    assert {login: seen(login) for login in ("a1_street", "a1_lead", "a_works", "a_chief", "b_works", "city_works", "city_chief")} == {
        "a1_street": 1, "a1_lead": 1, "a_works": 2, "a_chief": 2, "b_works": 1, "city_works": 3, "city_chief": 3}


def test_only_streets_register_and_import_points(walk: Walker) -> None:
    register, _ = get_register(walk.app.library, POINT)
    require_import(walk.app, register, walk.actor("a1_street"), walk.at)
    for login in ("a1_lead", "a_works", "city_works", "a1_officer"):
        with pytest.raises(Forbidden):
            require_import(walk.app, register, walk.actor(login), walk.at)
    for login, process in (("a_works", "point_intake"), ("a1_street", "census_transfer"), ("city_works", "census_transfer"), ("a1_officer", "disposal")):
        with pytest.raises(Forbidden):
            walk.start(login, f"illegal_building.{process}", intake())


@pytest.mark.requirement("CMD-004")
def test_photos_of_a_point_go_one_by_one_through_the_review_and_come_back(walk: Walker) -> None:
    photos = [{"id": uploaded(walk, name), "caption": ""} for name in ("东侧.jpg", "西侧.jpg")]
    id = new_point(walk, photos=photos)
    assert [one["name"] for one in record(walk, POINT, id)["photos"]] == ["东侧.jpg", "西侧.jpg"]
    shown = {"point": str(id), "finding": "same", "checked_on": "2026-11-19", "opinion": "东侧一张拍错了。"}
    with pytest.raises(Invalid) as refused:
        walk.start("a1_street", "illegal_building.field_check", {**shown, "held": [{"act": "restore", "id": photos[0]["id"]}]})
    assert set(refused.value.fields) == {"held"}
    walk.start("a1_street", "illegal_building.field_check", {**shown, "held": [{"act": "remove", "id": photos[0]["id"]}]})
    page = Browser(walk.app, "a_chief").get(f"/tasks/{walk.task('district_review')['id']}", follow_redirects=True)
    assert "删去" in page.text and "东侧.jpg" in page.text
    assert len(record(walk, POINT, id)["photos"]) == 2
    walk.do("a_chief", "district_review")
    assert [one["name"] for one in record(walk, POINT, id)["photos"]] == ["西侧.jpg"]
    page = Browser(walk.app, "a1_street").get(f"/registers/illegal_building/point/{id}")
    assert "已删去的照片和材料（1）" in page.text and "外场核实" in page.text
    change = {"point": str(id), "change_kind": "change", "reason": "东侧那张没有错。", "title": "东街道某路 12 号楼顶搭建", "kind": "new", "address": "东街道某路 12 号", "area": 36.5}
    walk.start("a1_street", "illegal_building.point_change", {**change, "held": [{"act": "restore", "id": photos[0]["id"]}]})
    walk.do("a_chief", "district_review")
    assert [one["name"] for one in record(walk, POINT, id)["photos"]] == ["西侧.jpg", "东侧.jpg"]


def uploaded(walk: Walker, name: str) -> str:
    made = io.BytesIO()
    Image.new("RGB", (64, 48), "white").save(made, "JPEG")
    with walk.app.db.begin() as connection:
        kept = store_attachment(
            connection, walk.app.blobs, actor=walk.actor("a1_street"), case_id=None, task_id=None, field="data.photos", file_name=name, data=made.getvalue() + name.encode(), at=walk.at,
        )
    return str(kept.id)
