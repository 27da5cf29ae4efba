"""A case goes to another district or street: applied for, reviewed on three levels, handed out, disposed of, reviewed again."""
from __future__ import annotations

import html
import re
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from engine.kernel.errors import Conflict, GuichengError, Invalid
from engine.registers.catalogue import get_register
from engine.runtime.bpmn.journal import state_digest
from engine.runtime.case_bundle.replay import Content, replay
from engine.runtime.invariants import find_violations
from engine.runtime.operating.terminate_instance import terminate_instance
from engine.runtime.preview_next import preview_next
from engine.runtime.withdraw_act import withdraw_act
from engine.storage.tables.runtime import act, instance
from tests.browser import Browser
from tests.packs.construction_waste_transfer.conftest import CaseSystem
from tests.packs.construction_waste_transfer.tickets import NUMBER, PROCESS, apply, disposal, handed_out, person, request, reviewed
from tests.packs.walk import Walker


def record(walk: Walker) -> dict[str, Any]:
    _, table = get_register(walk.app.library, "construction_waste_transfer.waste_transfer")
    with walk.app.db.connect() as connection:
        return dict(connection.execute(select(table).where(table.c.case_id == walk.case_id)).mappings().one())


def state(walk: Walker) -> str:
    return str(walk.case()["state_title"])


@pytest.mark.requirement("CMD-170")
def test_an_application_is_reviewed_by_squad_district_and_city(walk: Walker) -> None:
    apply(walk)
    assert (walk.waiting(), walk.holders("squad_review"), state(walk)) == ({"squad_review"}, {"a1_head"}, "移交审核中")
    assert walk.case()["number"] == "沪城管云移〔2026〕0001号"
    walk.do("a1_head", "squad_review")
    assert walk.holders("district_review") == {"a_head"}
    walk.do("a_head", "district_review")
    assert walk.holders("city_review") == {"city_head"}
    walk.do("city_head", "city_review")

    assert (walk.waiting(), walk.holders("city_dispatch"), state(walk)) == ({"city_dispatch"}, {"city_staff"}, "派发中")


def test_an_application_is_taken_back_improved_sent_again_and_deleted(walk: Walker) -> None:
    apply(walk)
    take_back(walk)
    assert (walk.waiting(), walk.holders("apply"), state(walk), record(walk)["reason"]) == ({"apply"}, {"a1_officer"}, "填写申请", None)
    assert walk.case()["title"] == request(walk)["title"]
    walk.do("a1_officer", "apply", "submit", request(walk, reason="距区界约五十米。"))
    assert (walk.waiting(), walk.case()["number"], record(walk)["reason"]) == ({"squad_review"}, "沪城管云移〔2026〕0001号", "距区界约五十米。")

    with pytest.raises(Conflict, match="已经撤回过"):
        take_back(walk, kind="start")
    take_back(walk, kind="complete")
    walk.do("a1_officer", "apply", "delete", request(walk))
    assert (state(walk), find_violations(walk.app)) == ("已删除", [])
    assert done_again(walk) == 5


@pytest.mark.requirement("CMD-169")
def test_applications_are_drafted_sent_improved_deleted_listed_and_counted(walk: Walker) -> None:
    officer, at = Browser(walk.app, "a1_officer"), "/start/construction_waste_transfer/waste_case_transfer"
    assert officer.post(f"{at}/draft", {"data.title": "没写完的申请"}).status_code == 200 and "没写完的申请" in officer.get(at).text
    assert officer.post(f"{at}/draft/discard").status_code == 303
    assert "没写完的申请" not in officer.get(at).text and "删除草稿" in officer.get(at).text

    apply(walk)
    walk.do("a1_head", "squad_review", "send_back", opinion="请写明位置。")
    walk.do("a1_officer", "apply", "submit", request(walk, title="交界处倾倒渣土"))
    kept = record(walk)
    assert (kept["state"], kept["place"][-4:], kept["title"]) == ("reviewing", "沪太路口", "交界处倾倒渣土")
    apply(walk, to="CG-A-2")
    walk.do("a1_head", "squad_review", "refuse", opinion="由本中队处理。")
    apply(walk)
    take_back(walk)
    walk.do("a1_officer", "apply", "delete", request(walk))
    assert record(walk)["state"] == "withdrawn"

    apply(walk, to="CG-A-2")
    operator = replace(walk.actor("city_head"), rights=frozenset({"operator", "see_all_cases"}))
    end = {"reason": "重复登记", "key": "end", "at": walk.at}
    terminate_instance(walk.app, actor=operator, instance_id=walk.task("squad_review")["instance_id"], **end)  # type: ignore[arg-type]
    assert record(walk)["state"] == "terminated" and find_violations(walk.app) == []
    listed = officer.get("/registers/construction_waste_transfer/waste_transfer").text
    assert [words for words in ("交界处倾倒渣土", "移交审核中", "不予移交", "已删除") if words not in listed] == []
    page = officer.get("/statistics/construction_waste_transfer/transfers?by=state").text
    words = re.sub(r"<[^>]+>|\s+", "", page)
    assert "移交申请3件" in words and "在办1件" in words and "不予移交1件" in words
    link = html.unescape(re.search(r'href="([^"]*/registers/[^"]*waste_transfer\?[^"]*refused[^"]*)"', page)[1])  # type: ignore[index]
    assert "第 1—1 条" in officer.get(link).text or officer.get(link).text.count("不予移交") >= 1
    assert officer.get(f"/registers/construction_waste_transfer/waste_transfer/{kept['id']}").status_code == 200


def done_again(walk: Walker) -> int:
    """How many acts the engine did again from what is kept, each with the state that was kept."""
    with walk.app.db.connect() as connection:
        row = dict(connection.execute(select(instance).where(instance.c.case_id == walk.case_id)).mappings().one())
    acts = [{**one, "at": one["at"].isoformat()} for one in walk.acts()]
    library = walk.app.library
    bundles = {str(row["bundle_id"]): {name: str(id) for name, id in library.bundle(row["bundle_id"]).members.items()}}
    content = Content(bundles, lambda name: library.definition(UUID(name)).content)
    return replay({"id": row["id"], "title": row["title"], "state_digest": state_digest(row["state"])}, acts, content, {}).acts


def take_back(walk: Walker, *, kind: str = "start") -> None:
    with walk.app.db.connect() as connection:
        id = connection.scalars(select(act.c.id).where(act.c.case_id == walk.case_id, act.c.kind == kind).order_by(act.c.rev_before.desc()).limit(1)).one()
    withdraw_act(walk.app, actor=walk.actor("a1_officer"), act_id=id, key=str(uuid4()), at=walk.at)


@pytest.mark.requirement("CMD-170")
def test_the_rules_of_review_are_a_table_that_an_analyst_changes(walk: Walker) -> None:
    from engine.kernel.settings import ROOT
    from engine.runtime.deploy_file import deploy_file

    table = (ROOT / "processes/construction_waste_transfer/decisions/transfer_review_rules.dmn").read_text(encoding="utf-8")
    changed = table.replace('<outputEntry id="cross_street_city"><text>true</text>', '<outputEntry id="cross_street_city"><text>false</text>')
    assert changed != table
    analyst = replace(walk.actor("city_head"), rights=frozenset({"analyst"}))
    deploy_file(walk.app, actor=analyst, pack="construction_waste_transfer", filename="transfer_review_rules.dmn", content=changed.encode(), note="跨街镇不报市局", at=walk.at)

    apply(walk, to="CG-A-2")
    walk.do("a1_head", "squad_review")
    walk.do("a_head", "district_review")
    assert walk.waiting() == {"district_dispatch"}


@pytest.mark.requirement("CMD-171")
@pytest.mark.requirement("CMD-175")
def test_a_case_of_another_district_goes_from_the_city_down_to_an_officer_and_its_result_up_again(walk: Walker, case_system: CaseSystem) -> None:
    reviewed(walk)
    units = walk.bureau.units
    walk.do("city_staff", "city_dispatch", "dispatch", {"district": str(units["CG-B"])})
    assert walk.holders("district_dispatch") == {"b_staff"}
    walk.do("b_staff", "district_dispatch", "dispatch", {"squad": str(units["CG-B-1"])})
    assert walk.holders("squad_dispatch") == {"b1_head"}
    walk.do("b1_head", "squad_dispatch", "dispatch", {"officer": person(walk, "b1_officer")})
    assert walk.holders("officer_accept") == {"b1_officer"}
    walk.do("b1_officer", "officer_accept", "accept")
    assert (walk.waiting(), state(walk)) == ({"dispose"}, "处置中")

    walk.do("b1_officer", "dispose", "submit", disposal())
    walk.run_jobs()
    assert (walk.holders("squad_review"), state(walk)) == ({"b1_head"}, "结果审核中")
    walk.do("b1_head", "squad_review")
    assert walk.holders("district_review") == {"b_head"}
    walk.do("b_head", "district_review")
    assert walk.holders("city_review") == {"city_head"}
    walk.do("city_head", "city_review")

    assert (walk.waiting(), state(walk)) == (set(), "已办结")
    kept = record(walk)
    assert walk.case()["handler_id"] == walk.actor("a1_officer").person_id
    assert (kept["handling_district"], kept["handling_squad"]) == (units["CG-B"], units["CG-B-1"])
    assert (kept["disposal_result"], kept["case_number"], str(kept["closed_on"])) == ("filed", NUMBER, "2026-11-20")


@pytest.mark.requirement("CMD-172")
def test_a_case_of_another_street_never_goes_through_the_city_on_its_way_down(walk: Walker, case_system: CaseSystem) -> None:
    handed_out(walk, to="CG-A-2")
    walk.do("a2_officer", "dispose", "submit", disposal(result="corrected", case_number=None))
    assert walk.holders("squad_review") == {"a2_head"}
    walk.do("a2_head", "squad_review")
    walk.do("a_head", "district_review")
    walk.do("city_head", "city_review")

    assert state(walk) == "已办结"
    assert "city_dispatch" not in {row["node"] for row in walk.acts()}
    assert case_system.links() == []


def test_a_transfer_to_oneself_is_refused_with_the_field(walk: Walker) -> None:
    for to, field in (("CG-A", "target_district"), ("CG-A-1", "target_squad")):
        with pytest.raises(Invalid) as refused:
            walk.start("a1_officer", PROCESS, request(walk, to=to))
        assert set(refused.value.fields) == {field}


def test_a_squad_of_another_district_is_no_target_within_the_own(walk: Walker) -> None:
    with pytest.raises(Invalid) as refused:
        walk.start("a1_officer", PROCESS, request(walk, to="CG-B-1"))
    assert set(refused.value.fields) == {"target_squad"}


@pytest.mark.parametrize("level", [0, 1, 2])
def test_each_reviewer_may_send_the_application_back_to_the_applicant(walk: Walker, level: int) -> None:
    apply(walk)
    steps = [("a1_head", "squad_review"), ("a_head", "district_review"), ("city_head", "city_review")]
    for who, node in steps[:level]:
        walk.do(who, node)
    walk.do(*steps[level], "send_back", opinion="缺少倾倒地点的照片。")
    assert (walk.holders("apply"), state(walk), walk.task("apply")["from_words"]) == ({"a1_officer"}, "填写申请", "缺少倾倒地点的照片。")

    walk.do("a1_officer", "apply", "submit", request(walk))
    assert walk.holders("squad_review") == {"a1_head"}
    assert walk.case()["number"] == "沪城管云移〔2026〕0001号"


def test_the_city_may_return_straight_to_a_reviewer_below(walk: Walker) -> None:
    apply(walk)
    walk.do("a1_head", "squad_review")
    walk.do("a_head", "district_review")
    assert [target.node for target in walk.targets("city_head", "city_review")] == ["district_review", "squad_review"]
    walk.back("city_head", "city_review", "squad_review", "请核实倾倒地点在哪个区。")
    assert walk.holders("squad_review") == {"a1_head"}
    walk.do("a1_head", "squad_review")
    assert walk.holders("district_review") == {"a_head"}


@pytest.mark.parametrize("level", [0, 1, 2])
def test_each_reviewer_may_refuse_and_the_applicant_is_told(walk: Walker, level: int) -> None:
    apply(walk)
    steps = [("a1_head", "squad_review"), ("a_head", "district_review"), ("city_head", "city_review")]
    for who, node in steps[:level]:
        walk.do(who, node)
    walk.do(*steps[level], "refuse", opinion="违法行为发生在本区，不移交。")
    assert (walk.waiting(), state(walk)) == (set(), "不予移交")
    assert walk.case()["closed_at"] is not None


def test_an_application_that_was_sent_back_may_be_deleted_a_new_one_may_not(walk: Walker) -> None:
    with pytest.raises(Invalid):
        walk.start("a1_officer", PROCESS, request(walk), "delete")
    apply(walk)
    walk.do("a1_head", "squad_review", "send_back", opinion="重复申请，请核对。")
    walk.do("a1_officer", "apply", "delete", request(walk), "")
    assert (walk.waiting(), state(walk)) == (set(), "已删除")


def test_the_applicant_takes_the_application_back_while_nobody_has_looked_at_it(walk: Walker) -> None:
    apply(walk)
    walk.do("a1_head", "squad_review", "send_back", opinion="请补充照片。")
    sent = walk.do("a1_officer", "apply", "submit", request(walk))
    withdraw_act(walk.app, actor=walk.actor("a1_officer"), act_id=sent.act_id, key="take-back", at=walk.at)
    assert (walk.holders("apply"), state(walk)) == ({"a1_officer"}, "填写申请")


def test_every_level_sends_the_ticket_back_one_level_and_it_comes_down_another_way(walk: Walker) -> None:
    reviewed(walk)
    units = walk.bureau.units
    walk.do("city_staff", "city_dispatch", "dispatch", {"district": str(units["CG-A"])})
    assert walk.holders("district_dispatch") == {"a_staff"}
    ahead = preview_next(walk.app, actor=walk.actor("a_staff"), task_id=walk.task("district_dispatch")["id"], outcome="dispatch", at=walk.at)
    assert ahead == []  # which squad is still to be chosen
    walk.do("a_staff", "district_dispatch", "send_back", opinion="地点在临川区。")
    assert walk.holders("city_dispatch") == {"city_staff"}
    walk.do("city_staff", "city_dispatch", "dispatch", {"district": str(units["CG-B"])})
    assert walk.holders("district_dispatch") == {"b_staff"}
    walk.do("b_staff", "district_dispatch", "dispatch", {"squad": str(units["CG-B-1"])})
    walk.do("b1_head", "squad_dispatch", "send_back", opinion="地点属于二中队。")
    assert walk.holders("district_dispatch") == {"b_staff"}
    walk.do("b_staff", "district_dispatch", "dispatch", {"squad": str(units["CG-B-2"])})
    assert walk.holders("squad_dispatch") == {"b2_head"}
    walk.do("b2_head", "squad_dispatch", "dispatch", {"officer": person(walk, "b2_officer")})
    walk.do("b2_officer", "officer_accept", "send_back", opinion="正在参加培训。")
    assert walk.holders("squad_dispatch") == {"b2_head"}


def test_an_officer_hands_the_ticket_back_and_the_squad_gives_it_to_another(walk: Walker) -> None:
    handed_out(walk)
    walk.do("b1_officer", "dispose", "send_back", {}, "当事人是我的亲属，申请回避。")
    assert (walk.holders("squad_dispatch"), state(walk)) == ({"b1_head"}, "派发中")
    walk.do("b1_head", "squad_dispatch", "dispatch", {"officer": person(walk, "b1_second")})
    walk.do("b1_second", "officer_accept", "accept")
    assert walk.holders("dispose") == {"b1_second"}


def test_what_came_back_from_an_officer_may_still_go_up_to_the_city(walk: Walker) -> None:
    handed_out(walk)
    walk.do("b1_officer", "dispose", "send_back", {}, "到场发现地点在云浦区一侧。")
    walk.do("b1_head", "squad_dispatch", "send_back", opinion="不在本区。")
    walk.do("b_staff", "district_dispatch", "send_back", opinion="不在本区。")
    assert walk.holders("city_dispatch") == {"city_staff"}
    walk.do("city_staff", "city_dispatch", "decline", opinion="违法行为发生在云浦区，由原中队处理。")
    assert (walk.holders("apply"), state(walk)) == ({"a1_officer"}, "填写申请")


def test_a_district_declines_a_case_between_streets_and_it_goes_back_to_the_applicant(walk: Walker) -> None:
    reviewed(walk, to="CG-A-2")
    with pytest.raises(Invalid):
        walk.do("a_staff", "district_dispatch", "send_back", opinion="退回市局。")
    walk.do("a_staff", "district_dispatch", "decline", opinion="仍由一中队处理。")
    assert walk.holders("apply") == {"a1_officer"}


def test_somebody_elses_squad_and_people_can_not_be_dispatched_to(walk: Walker) -> None:
    reviewed(walk)
    units = walk.bureau.units
    with pytest.raises(Invalid):
        walk.do("city_staff", "city_dispatch", "dispatch", {"district": str(units["CG-B-1"])})
    walk.do("city_staff", "city_dispatch", "dispatch", {"district": str(units["CG-B"])})
    with pytest.raises(Invalid) as refused:
        walk.do("b_staff", "district_dispatch", "dispatch", {"squad": str(units["CG-A-1"])})
    assert set(refused.value.fields) == {"squad"}
    walk.do("b_staff", "district_dispatch", "dispatch", {"squad": str(units["CG-B-1"])})
    for login in ("b2_officer", "b1_head", "a1_officer"):
        with pytest.raises(Invalid) as refused:
            walk.do("b1_head", "squad_dispatch", "dispatch", {"officer": person(walk, login)})
        assert set(refused.value.fields) == {"officer"}
    with pytest.raises(GuichengError):
        walk.do("a1_head", "squad_dispatch", "dispatch", {"officer": person(walk, "b1_officer")})


@pytest.mark.requirement("CMD-175")
@pytest.mark.parametrize("level", [0, 1, 2])
def test_each_reviewer_may_send_the_result_back_to_the_officer(walk: Walker, level: int) -> None:
    handed_out(walk, to="CG-A-2")
    result = disposal(result="corrected", case_number=None)
    walk.do("a2_officer", "dispose", "submit", result)
    steps = [("a2_head", "squad_review"), ("a_head", "district_review"), ("city_head", "city_review")]
    for who, node in steps[:level]:
        walk.do(who, node)
    walk.do(*steps[level], "send_back", opinion="请补充清运后的照片。")
    assert (walk.holders("dispose"), state(walk)) == ({"a2_officer"}, "处置中")
    walk.do("a2_officer", "dispose", "submit", result)
    for who, node in steps:
        walk.do(who, node)
    assert state(walk) == "已办结"


def test_a_disposal_without_its_answers_is_refused_but_may_be_handed_back(walk: Walker) -> None:
    handed_out(walk)
    with pytest.raises(Invalid) as refused:
        walk.do("b1_officer", "dispose", "submit", {})
    assert {"result", "findings"} <= set(refused.value.fields)
    with pytest.raises(Invalid) as refused:
        walk.do("b1_officer", "dispose", "submit", disposal(case_number="123"))
    assert set(refused.value.fields) == {"case_number"}
