"""Points are drawn by a standard, screened by the city, checked on site one by one; what is not as reported goes back to the street."""
from __future__ import annotations

import io
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from PIL import Image
from sqlalchemy import select

from engine.form_filling.attachments import store_attachment
from engine.kernel.errors import Conflict, Forbidden, Invalid, StaleRevision
from engine.kernel.ids import new_id
from engine.runtime.correct_submission import correct_submission
from engine.runtime.edit_record import create_record
from engine.runtime.invariants import find_violations
from engine.runtime.withdraw_act import withdraw_act
from engine.storage.tables.runtime import act, draft, submission
from engine.storage.tables.sampling import sample_draw, sample_pick
from tests.browser import Browser
from tests.packs.filed import PDF
from tests.packs.illegal_building.points import items, make, newest, point, records, state
from tests.packs.walk import Walker

PACK = "illegal_building_sampling"


def standard(walk: Walker, **changes: Any) -> UUID:
    values = {"title": "存量违建抽样标准", "kind": "stock", "statuses": ["filed"], "number": 3, "from": "2026-01-01", **changes}
    return make(walk, f"{PACK}.standard", unit="CG-CW", **values)


def drawn(walk: Walker, **changes: Any) -> None:
    for n in range(4):
        point(walk, title=f"东街道 {n}", status="filed")
        point(walk, title=f"南街道 {n}", unit="CG-B-J1", status="filed")
    point(walk, title="别的状态")
    point(walk, title="新增的", kind="new", status="filed")
    walk.start("city_works", f"{PACK}.sampling", {"title": "四季度抽样", "standard": str(standard(walk, **changes)), "seed": "2026137", "seed_source": "福彩双色球第 2026137 期"})


@pytest.mark.requirement("CMD-007")
@pytest.mark.parametrize("kind", ["new", "stock"])
def test_new_and_standing_buildings_have_standards_of_their_own(walk: Walker, kind: str) -> None:
    data = {"title": "抽样标准", "kind": kind, "statuses": ["closed"], "ratio": 10, "least": 1, "from": "2026-01-01"}
    create_record(walk.app, actor=walk.actor("city_works"), register=f"{PACK}.standard", data=data, key=new_id(), at=walk.at)
    assert newest(walk, f"{PACK}.standard")["kind"] == kind
    with pytest.raises(Forbidden):
        create_record(walk.app, actor=walk.actor("a_works"), register=f"{PACK}.standard", data=data, key=new_id(), at=walk.at)


@pytest.mark.requirement("CMD-008")
@pytest.mark.parametrize(("rule", "picked"), [({"number": 3}, 3), ({"number": None, "ratio": 50}, 4), ({"number": None, "ratio": 1, "least": 1}, 2)])
def test_points_of_the_standard_are_drawn_and_the_draw_is_kept(walk: Walker, rule: dict[str, Any], picked: int) -> None:
    drawn(walk, **rule)
    assert (walk.waiting(), state(walk)) == ({"screen"}, "筛选样本")
    with walk.app.db.connect() as connection:
        draw = connection.execute(select(sample_draw)).mappings().one()
    assert (draw["population"], draw["picked"], draw["seed"], draw["case_id"]) == (8, picked, "2026137", walk.case_id)


@pytest.mark.requirement("CMD-009")
def test_only_the_city_screens_and_what_it_takes_out_is_not_checked(walk: Walker) -> None:
    drawn(walk, number=5)
    assert walk.holders("screen") == {"city_works"}
    by_title = {one["title"]: one for one in records(walk, "illegal_building.point")}
    with walk.app.db.connect() as connection:
        first = connection.scalar(select(sample_pick.c.record_id).order_by(sample_pick.c.place).limit(1))
    with pytest.raises(Invalid):
        walk.do("city_works", "screen", "confirm", {"drop": [{"point": str(by_title["别的状态"]["id"]), "reason": "不在样本里"}]})
    walk.do("city_works", "screen", "confirm", {"drop": [{"point": str(first), "reason": "正在诉讼。"}]})
    assert len(items(walk)) == 4 and state(walk) == "核查中"


def test_a_sample_is_drawn_again_only_with_a_reason_and_both_draws_stay(walk: Walker) -> None:
    drawn(walk)
    with pytest.raises(Invalid):
        walk.do("city_works", "screen", "redraw", {})
    walk.do("city_works", "screen", "redraw", {"redraw_reason": "样本集中在一处小区。"})
    with walk.app.db.connect() as connection:
        first, second = connection.execute(select(sample_draw).order_by(sample_draw.c.at, sample_draw.c.id)).mappings().all()
    assert (second["previous_id"], second["reason"], walk.waiting()) == (first["id"], "样本集中在一处小区。", {"screen"})


def test_a_standard_that_fits_no_point_lets_one_choose_another(walk: Walker) -> None:
    walk.start("city_works", f"{PACK}.sampling", {"title": "抽样", "standard": str(standard(walk, statuses=["closed"]))})
    assert walk.holders("choose") == {"city_works"}


def answer(finding: str) -> dict[str, Any]:
    return {"finding": finding, "checked_on": "2026-11-20", "situation": "现场所见。", "opinion": "见实际情况。"}


@pytest.mark.requirement("CMD-010")
@pytest.mark.parametrize("finding", ["incomplete", "different"])
def test_what_is_as_reported_is_closed_and_what_is_not_goes_back_to_its_street_until_it_is(walk: Walker, finding: str) -> None:
    drawn(walk, number=2)
    parent = walk.case_id
    walk.do("city_works", "screen", "confirm", {})
    first, second = items(walk)
    walk.case_id = first
    walk.do("city_works", "check", "submit", answer("real"))
    walk.case_id = second
    walk.do("city_works", "check", "submit", answer(finding))
    street = {"CG-A-J1": "a1_street", "CG-B-J1": "b1_street"}[next(code for code, id in walk.bureau.units.items() if id == walk.case()["unit_id"])]
    assert walk.holders("fix") == {street}
    walk.do(street, "fix", "submit", {"fixed": "已经拆除残留部分。"})
    walk.do("city_works", "check", "submit", answer("real"))
    walk.run_jobs()
    walk.case_id = parent
    walk.run_jobs()
    kept = {one["case_id"]: one for one in records(walk, f"{PACK}.sample_case")}
    assert [(kept[id]["first_finding"], kept[id]["finding"], kept[id]["rounds"]) for id in (first, second)] == [("real", "real", 1), (finding, "real", 2)]
    assert kept[second]["closed_on"] is not None and state(walk) == "已办结"


@pytest.mark.requirement("CMD-011")
def test_what_was_found_on_site_is_recorded_with_its_opinion_and_its_files(walk: Walker) -> None:
    drawn(walk, number=1)
    walk.do("city_works", "screen", "confirm", {})
    (walk.case_id,) = items(walk)
    sent = {}
    with walk.app.db.begin() as connection:
        for field, name, data in (("photos", "现场.jpg", photo()), ("documents", "核查记录.pdf", PDF)):
            kept = store_attachment(
                connection, walk.app.blobs, actor=walk.actor("city_works"), case_id=walk.case_id, task_id=walk.task("check")["id"], field=field, file_name=name, data=data, at=walk.at,
            )
            sent[field] = [{"id": str(kept.id)}]
    with pytest.raises(Invalid) as refused:
        walk.do("city_works", "check", "submit", {**answer("real"), "opinion": "", **sent})
    assert set(refused.value.fields) == {"opinion"}
    walk.do("city_works", "check", "submit", {**answer("real"), **sent})
    (kept_case,) = records(walk, f"{PACK}.sample_case")
    assert (kept_case["situation"], kept_case["opinion"]) == ("现场所见。", "见实际情况。")
    assert [kept_case[field][0]["id"] for field in ("photos", "documents")] == [sent["photos"][0]["id"], sent["documents"][0]["id"]]


@pytest.mark.requirement("CMD-040")
def test_an_opinion_can_be_changed_taken_out_and_restored_after_it_was_submitted(walk: Walker) -> None:
    drawn(walk, number=2)
    walk.do("city_works", "screen", "confirm", {})
    walk.case_id = items(walk)[0]
    photos = []
    with walk.app.db.begin() as connection:
        for name in ("一.jpg", "二.jpg"):
            kept = store_attachment(
                connection, walk.app.blobs, actor=walk.actor("city_works"), case_id=walk.case_id, task_id=walk.task("check")["id"], field="photos", file_name=name, data=photo(), at=walk.at,
            )
            photos.append({"id": str(kept.id)})
    walk.do("city_works", "check", "submit", {**answer("real"), "photos": photos})
    first = last_submission(walk)
    with pytest.raises(Conflict, match="只有提交的人"):
        correct(walk, first, {**answer("real")}, login="a_works")
    with pytest.raises(Invalid) as refused:
        correct(walk, first, {**answer("real"), "opinion": ""})
    assert set(refused.value.fields) == {"opinion"}
    correct(walk, first, {**answer("incomplete"), "opinion": "补充：屋顶残留已清。", "photos": photos[1:]}, key="same")
    correct(walk, first, {**answer("incomplete"), "opinion": "补充：屋顶残留已清。", "photos": photos[1:]}, key="same")
    kept = sample(walk)
    assert (kept["finding"], kept["opinion"], [one["id"] for one in kept["photos"]]) == ("real", "补充：屋顶残留已清。", [photos[1]["id"]])
    with pytest.raises(StaleRevision):
        correct(walk, first, answer("real"))
    second = last_submission(walk)
    correct(walk, second, None)
    assert (sample(walk)["finding"], sample(walk)["opinion"], sample(walk)["photos"]) == ("real", None, None)
    web = Browser(walk.app, "city_works")
    page = web.get(f"/submissions/{last_submission(walk)}/correct?from={first}")
    assert page.status_code == 200 and "见实际情况。" in page.text and photos[0]["id"] in page.text
    correct(walk, last_submission(walk), {**answer("real"), "photos": photos})
    assert len(sample(walk)["photos"]) == 2 and find_violations(walk.app) == []
    with walk.app.db.connect() as connection:
        told = connection.execute(select(act.c.outcome_title, act.c.opinion).where(act.c.case_id == walk.case_id, act.c.kind == "correct").order_by(act.c.at, act.c.id)).all()
    assert [row.outcome_title for row in told] == ["更正", "删除意见", "更正"]
    walk.app.clock.advance(timedelta(days=31))
    with pytest.raises(Conflict, match="已经过了"):
        correct(walk, last_submission(walk), answer("real"))


def test_a_step_that_is_withdrawn_takes_its_corrections_back(walk: Walker) -> None:
    drawn(walk, number=1)
    walk.do("city_works", "screen", "confirm", {})
    (walk.case_id,) = items(walk)
    done = walk.do("city_works", "check", "submit", answer("incomplete"))
    correct(walk, last_submission(walk), {**answer("incomplete"), "opinion": "再看一次。"})
    assert sample(walk)["opinion"] == "再看一次。"
    withdraw_act(walk.app, actor=walk.actor("city_works"), act_id=done.act_id, key="back", at=walk.at)
    assert walk.holders("check") == {"city_works"} and sample(walk)["opinion"] is None
    with walk.app.db.connect() as connection:
        assert connection.scalar(select(submission.c.id).where(submission.c.case_id == walk.case_id, submission.c.node == "check", submission.c.superseded.is_(False))) is None
        assert connection.scalar(select(draft.c.data).where(draft.c.task_id == walk.task("check")["id"]))["opinion"] == "再看一次。"
    assert find_violations(walk.app) == []


def correct(walk: Walker, id: UUID, data: dict[str, Any] | None, *, login: str = "city_works", key: str = "") -> None:
    correct_submission(walk.app, actor=walk.actor(login), submission_id=id, data=data, reason="看错了门牌。", key=key or str(new_id()), at=walk.at)


def last_submission(walk: Walker) -> UUID:
    with walk.app.db.connect() as connection:
        query = select(submission.c.id).where(submission.c.case_id == walk.case_id, submission.c.node == "check").order_by(submission.c.superseded, submission.c.at.desc(), submission.c.id.desc())
        found: UUID = connection.scalar(query.limit(1))
    return found


def sample(walk: Walker) -> Any:
    return next(one for one in records(walk, f"{PACK}.sample_case") if one["case_id"] == walk.case_id)


def photo() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (64, 48), "white").save(stream, "JPEG")
    return stream.getvalue()
