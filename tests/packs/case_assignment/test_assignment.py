"""交办: a district asks for a case, the city bureau drafts, reviews jointly and decides, the district's station checks in fifteen working days."""
from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from engine.access.staffing import create_account, create_person, create_unit, give_post
from engine.documents.seals import create_personal_seal, create_unit_seal, grant_seal
from engine.kernel.errors import Invalid
from engine.runtime.begin_process import begin_process
from tests.packs.walk import Bureau, Walker
from tests.town import SINCE, UNTIL

CITY = (
    ("city_head", "方知微", "city", "bureau_head"), ("city_chief", "冯以宁", "city_section", "section_head"), ("city_clerk", "纪闻野", "city_section", "section_staff"),
    ("city_joint_chief", "柳如是", "city_food", "section_head"), ("city_joint", "宋怀川", "city_food", "section_staff"),
)
LOGINS = ("officer", "head", "staff", "section_head", "chief", "other_officer", "other_head")
PAPER = {"paper_title": "关于核查某公司涉嫌虚假宣传线索的交办函", "recipient": "上海市云浦区市场监督管理局", "facts": "该公司在网店宣称产品能治病。", "requirements": "请依法核查处理。"}


@pytest.fixture
def walk(town: Any) -> Walker:
    """A section of the district has applied and its head agrees."""
    with town.app.db.begin() as connection:
        at = town.app.clock.now()
        town.units["city_food"] = create_unit(
            connection, parent_id=town.units["city"], bureau="market_regulation", kind="section", code="city_food", name="市局食品处", short_name="食品处", number_word="", at=at)
        for login, name, unit, post in CITY:
            id = create_person(connection, name=name, pinyin=login, at=at)
            give_post(connection, person_id=id, unit_id=town.units[unit], code=post, title=post, valid_from=SINCE, main=True)
            create_account(connection, person_id=id, login=login, password_hash="-", at=at, must_change=False)
            create_personal_seal(town.app, connection, person_id=id, pin=None, valid_from=SINCE, valid_until=UNTIL, at=at, demo=True)
        seal = create_unit_seal(town.app, connection, unit_id=town.units["city"], kind="unit_official", valid_from=SINCE, valid_until=UNTIL, at=at, demo=True)
        grant_seal(connection, seal_id=seal, valid_from=SINCE, post="bureau_head")
    made = Walker(town.app, Bureau(units=town.units, actors={login: town.actor(login) for login in (*LOGINS, *(row[0] for row in CITY))}))
    asked = {
        "title": "某公司涉嫌虚假宣传", "city_unit": str(town.units["city_section"]), "district_unit": str(town.units["district"]), "agreed": "negotiated",
        "agreed_on": "2026-11-19", "matter": "网店宣称产品能治病。", "reason": "违法行为发生地在本区。", "attachments": proof(made),
    }
    with pytest.raises(Invalid) as refused:
        made.start("staff", "case_assignment.case_assignment", {**asked, "city_unit": str(town.units["quality_section"])})
    assert set(refused.value.fields) == {"city_unit"}
    made.start("staff", "case_assignment.case_assignment", asked)
    made.do("section_head", "office_review")
    return made


def proof(walk: Walker) -> list[dict[str, str]]:
    from engine.form_filling.attachments import store_attachment
    from tests.packs.filed import PDF

    with walk.app.db.begin() as connection:
        kept = store_attachment(connection, walk.app.blobs, actor=walk.actor("staff"), case_id=None, task_id=None, field="attachments", file_name="材料.pdf", data=PDF, at=walk.at)
    return [{"id": str(kept.id)}]


def id_of(walk: Walker, login: str) -> str:
    return str(walk.actor(login).person_id)


def drafted(walk: Walker) -> None:
    assert (walk.case()["state"], walk.holders("city_dispatch")) == ("applied", {"city_chief"})
    walk.do("city_chief", "city_dispatch", "submit", {"city_officer": id_of(walk, "city_clerk")})
    assert (walk.case()["state"], walk.holders("draft_paper")) == ("drafting", {"city_clerk"})
    walk.do("city_clerk", "draft_paper", "submit", PAPER)
    jointly(walk)


def jointly(walk: Walker, outcome: str = "approve") -> None:
    """The head of the section asks another section, whose head names somebody, who gives an opinion."""
    walk.do("city_chief", "city_review", "submit", {"joint_unit": str(walk.bureau.units["city_food"])})
    assert walk.holders("joint_dispatch") == {"city_joint_chief"}
    walk.do("city_joint_chief", "joint_dispatch", "submit", {"joint_officer": id_of(walk, "city_joint")})
    walk.do("city_joint", "joint_opinion", "submit", opinion="建议写明报告期限。")
    walk.do("city_joint_chief", "joint_review", outcome, opinion="同意经办人意见。")


@pytest.mark.requirement("PEN-1192")
def test_an_approved_assignment_is_issued_by_the_city_and_checked_by_a_station(walk: Walker) -> None:
    drafted(walk)
    assert walk.holders("city_approval") == {"city_head"}
    walk.do("city_head", "city_approval")
    assert (walk.case()["state"], walk.holders("final_paper")) == ("approved", {"city_clerk"})
    walk.do("city_clerk", "final_paper", "submit", {**PAPER, "report_by": "2027-01-31"})
    walk.run_jobs()
    letter = next(paper for paper in walk.documents() if paper["state"] == "issued")
    assert (letter["number"], letter["data"]["unit"]["name"]) == ("沪市监交办〔2026〕0001号", "上海市示范市场监督管理局")
    assert [paper["state"] for paper in walk.documents()].count("issued") == 1

    assert walk.holders("take_over") == {"staff"}
    walk.do("staff", "take_over", "submit", {"station": str(walk.bureau.units["station_two"]), "assigned_on": "2026-11-20", "received_on": "2026-11-20"})
    assert (walk.case()["state"], walk.waiting()) == ("taken", set())

    clue = follow(walk)
    assert (clue.waiting(), clue.holders("appoint")) == ({"appoint"}, {"other_head"})
    clue.do("other_head", "appoint", "submit", {"officer": id_of(walk, "other_officer"), "received_on": "2026-11-20"})
    assert (clue.holders("verify"), clue.case()["state"]) == ({"other_officer"}, "registered")
    assert next(row for row in clue.clocks() if row["clock"] == "case_filing.clue_handling")["due_on"] == date(2026, 12, 11)


def follow(walk: Walker) -> Walker:
    """The clue that came of it, as the job that begins its process leaves it."""
    made = Walker(walk.app, walk.bureau)
    with walk.app.db.connect() as connection:
        row = connection.exec_driver_sql("SELECT to_id FROM case_link WHERE from_id = %s", (walk.case_id,)).one()
        kept = connection.exec_driver_sql("SELECT source, content FROM reg.case_filing__clue WHERE case_id = %s", (row.to_id,)).one()
    assert tuple(kept) == ("superior", "网店宣称产品能治病。")
    made.case_id = row.to_id
    begin_process(walk.app, case_id=str(row.to_id), process="case_filing.assigned_clue", at=walk.at.isoformat())
    return made


@pytest.mark.requirement("PEN-1192")
def test_what_the_joint_review_or_the_head_refuses_is_drafted_and_reviewed_again(walk: Walker) -> None:
    walk.do("city_chief", "city_dispatch", "submit", {"city_officer": id_of(walk, "city_clerk")})
    walk.do("city_clerk", "draft_paper", "submit", PAPER)
    jointly(walk, "return")
    assert walk.holders("draft_paper") == {"city_clerk"}

    walk.do("city_clerk", "draft_paper", "submit", PAPER)
    jointly(walk)
    walk.do("city_head", "city_approval", "disapprove", opinion="请补充法律依据。")

    assert (walk.case()["state"], walk.holders("draft_paper")) == ("drafting", {"city_clerk"})
    with walk.app.db.connect() as connection:
        told = [row.text for row in connection.exec_driver_sql("SELECT text FROM notice WHERE person_id = %s", (walk.actor("city_clerk").person_id,))]
    assert any("没有获批" in text for text in told)
    walk.do("city_clerk", "draft_paper", "submit", {**PAPER, "requirements": "请依据广告法核查处理。"})
    jointly(walk)
    assert walk.waiting() == {"city_approval"}


def test_the_application_can_be_returned_and_given_up(walk: Walker) -> None:
    walk.back("city_chief", "city_dispatch", "apply", "请写明违法行为发生地。")
    assert walk.holders("apply") == {"staff"}
    walk.do("staff", "apply", "abandon", {}, opinion="已由别的区局承办。")
    assert (walk.case()["state"], walk.waiting()) == ("withdrawn", set())
