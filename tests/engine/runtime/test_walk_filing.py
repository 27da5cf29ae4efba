"""A clue walks to a filed case through the real diagrams, forms, clocks and documents."""
from __future__ import annotations

from sqlalchemy import select

from engine.storage.tables.cases import case_clock, case_file, case_link
from engine.storage.tables.documents import document
from engine.storage.tables.runtime import act, incident, instance
from tests.engine.runtime.walk import HANDLING, application, case_of, do, open_nodes, open_task, send_back, start_clue
from tests.town import Town


def to_agency(town: Town) -> None:
    """From the application to the agency head's desk, through 会审."""
    do(town, "officer", "draft", "submit", data=application(town))
    do(town, "head", "office_review", opinion="事实清楚，同意上报。")
    do(town, "staff", "section_review", opinion="初审通过。")
    do(town, "section_head", "section_head_review", "joint", data={"joint_unit": str(town.units["quality_section"])})
    do(town, "joint_staff", "joint_staff_review")
    do(town, "joint_head", "joint_head_review")


def test_a_clue_is_registered_numbered_and_given_to_the_officer(town: Town) -> None:
    started = start_clue(town)

    case = case_of(town, started.case_id)
    assert case["title"] == "销售超过保质期的食品"
    assert case["number"] == "沪市监云线〔2026〕0001号"
    assert case["state"] == "registered"
    assert open_nodes(town, started.case_id) == ["verify"]


def test_the_whole_walk_files_a_case_with_a_sealed_approval_form(town: Town) -> None:
    started = start_clue(town)
    do(town, "officer", "verify", "file", data=HANDLING)
    to_agency(town)
    done = do(town, "chief", "agency_approval", opinion="同意立案。")
    town.app.jobs.run_due(town.app)

    assert done.completed
    with town.app.db.connect() as connection:
        assert connection.execute(select(incident)).all() == []
        clue = case_of(town, started.case_id)
        filed = connection.execute(select(case_file).join(case_link, case_link.c.to_id == case_file.c.id).where(case_link.c.from_id == started.case_id)).mappings().one()
        paper = connection.execute(select(document).where(document.c.case_id == started.case_id)).mappings().one()
        clock = connection.execute(select(case_clock).where(case_clock.c.case_id == started.case_id)).mappings().one()
    assert (clue["state"], filed["state"], filed["number"]) == ("filed", "investigating", "沪市监云案〔2026〕0001号")
    assert paper["state"] == "issued" and paper["number"] == "沪市监云立〔2026〕0001号" and paper["sealed_sm3"]
    assert clock["state"] == "met"


def test_joint_review_returns_to_the_section_staff_who_goes_on(town: Town) -> None:
    started = start_clue(town)
    do(town, "officer", "verify", "file", data=HANDLING)
    do(town, "officer", "draft", "submit", data=application(town))
    do(town, "head", "office_review")
    do(town, "staff", "section_review")
    do(town, "section_head", "section_head_review", "joint", data={"joint_unit": str(town.units["quality_section"])})
    do(town, "joint_staff", "joint_staff_review", "return", opinion="标准适用理由不足。")

    back = open_task(town, "section_review")
    assert back["assignee_id"] == town.people["staff"] and back["returned"] and back["from_words"] == "标准适用理由不足。"
    assert open_nodes(town, started.case_id) == ["section_review"]


def test_the_agency_head_returns_straight_to_the_officer(town: Town) -> None:
    started = start_clue(town)
    do(town, "officer", "verify", "file", data=HANDLING)
    to_agency(town)
    send_back(town, "chief", "agency_approval", "draft")

    assert open_nodes(town, started.case_id) == ["draft"]
    assert open_task(town, "draft")["assignee_id"] == town.people["officer"]
    with town.app.db.connect() as connection:
        assert connection.scalar(select(document.c.state).where(document.c.case_id == started.case_id)) == "void"
    to_agency(town)
    do(town, "chief", "agency_approval")
    town.app.jobs.run_due(town.app)
    with town.app.db.connect() as connection:
        assert connection.scalars(select(document.c.state).where(document.c.case_id == started.case_id).order_by(document.c.created_at)).all() == ["void", "issued"]
        assert connection.scalar(select(instance.c.status).where(instance.c.case_id == started.case_id)) == "completed"
        assert connection.scalar(select(act.c.kind).where(act.c.kind == "return")) == "return"
