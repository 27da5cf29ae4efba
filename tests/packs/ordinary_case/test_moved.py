"""Whose answers and whose desk: a step knows its own earlier answers only, and a case that moved returns to the unit that has it now."""
from __future__ import annotations

from typing import Any

from engine.runtime.answers import form_of_task
from engine.runtime.form_context import form_context
from engine.storage.tables.runtime import instance
from tests.packs.case_matters.answers import REASON
from tests.packs.ordinary_case import answers
from tests.packs.ordinary_case.case import OrdinaryCase


def known(case: OrdinaryCase, login: str, node: str) -> dict[str, Any]:
    """What the open step ``node`` was answered with before, as its form opens."""
    step = dict(case.task(node))
    pinned = next(dict(row) for row in case._rows(instance) if row["id"] == step["instance_id"])
    form = form_of_task(case.app, pinned, step)
    assert form is not None
    with case.app.db.connect() as connection:
        context = form_context(case.app, connection, actor=case.actor(login), form=form, at=case.at, case=dict(case.case()), instance_id=step["instance_id"], task=step)
        return dict(context.known)


def test_a_second_matter_opens_without_the_answers_of_the_first(case: OrdinaryCase) -> None:
    first = {"matter_title": "延长证据保存期限", "content": "请批准延长。"}
    case.matter("officer", "case_matters.other_matter_approval", first)
    case.do("head", "office_review", data={"attachments": case.proof("head")})
    case.do("section_head", "section_head_review")
    case.do("chief", "agency_approval")

    case.matter("officer", "case_matters.other_matter_approval", {"matter_title": "调整承办人", "content": "请批准调整。"})
    assert known(case, "head", "office_review") == {}
    case.back("head", "office_review", "draft", "请写明理由。")
    assert known(case, "officer", "draft")["content"] == "请批准调整。"


def test_a_return_after_the_office_changed_goes_to_the_new_officer(case: OrdinaryCase) -> None:
    case.do("officer", "investigate", "finish", {"progress": "已查清。"})
    case.do("officer", "draft", "submit", answers.report("penalty"))
    case.do("head", "office_review")
    case.matter("officer", "case_matters.change_handling_office", {"to_unit": str(case.bureau.units["station_two"]), **REASON})
    case.approve()
    case.do("other_head", "appoint", "submit", {"handler": str(case.actor("other_officer").person_id)})

    case.back("staff", "section_review", "draft", "请补充证据。")

    assert case.holders("draft") == {"other_officer"}
    case.do("other_officer", "draft", "submit", answers.report("penalty"))
    assert case.holders("office_review") == {"other_head"}
