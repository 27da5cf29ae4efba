"""The filing forms: prefilled, computed, checked, with every group of the data standard that the rows name."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from engine.form_filling.model import Form
from engine.form_filling.prefill import initial_data, suggest_after
from engine.kernel.errors import Invalid
from engine.reference.dictionaries import load_dictionary
from engine.runtime.answers import form_of_task
from engine.runtime.begin import load_machine
from engine.runtime.form_context import form_context
from engine.storage.tables.runtime import instance
from tests.packs.case_filing.clues import HANDLING, REGISTRATION, register
from tests.packs.walk import Walker

DESIGNATED = {"designated": True, "jurisdiction_unit": "云浦区市场监督管理局", "designating_unit": "上海市市场监督管理局", "designated_on": "2026-11-18"}
GROUPS = ["指定管辖", "移送", "调查", "协助", "审核", "处罚", "物品", "强制措施"]


def open_form(walk: Walker, login: str, node: str, changed: str = "", typed: Mapping[str, Any] | None = None) -> tuple[Form, dict[str, Any]]:
    """The form of the open task and what it opens with; with ``changed``, what it holds after that field was typed."""
    task = walk.task(node)
    with walk.app.db.connect() as connection:
        running = dict(connection.execute(instance.select().where(instance.c.id == task["instance_id"])).mappings().one())
        form = form_of_task(walk.app, running, task)
        assert form is not None
        facts = load_machine(walk.app, running, walk.at).facts(task["engine_id"])
        context = form_context(
            walk.app, connection, actor=walk.actor(login), form=form, at=walk.at, case=dict(walk.case()), instance_id=running["id"], task=dict(task), facts=facts,
        )
        data = initial_data(form, context=context)
        if changed:
            data = suggest_after(form, changed=changed, data={**data, **(typed or {})}, rights={}, context=context)
    return form, data


def reach_the_application(walk: Walker) -> None:
    walk.start("officer", "case_filing.clue_intake", {**REGISTRATION, **DESIGNATED})
    walk.do("officer", "verify", "file", HANDLING)


@pytest.mark.requirement("PEN-1168")
def test_the_application_opens_with_what_the_clue_already_says(walk: Walker) -> None:
    reach_the_application(walk)

    _, data = open_form(walk, "officer", "draft")

    assert (data["source"], data["received_on"], data["summary"]) == ("complaint", "2026-11-19", HANDLING["findings"])
    assert (data["violation"], data["domain"]) == ("food_expired", "food_safety")
    assert data["designated_on"] == "2026-11-18"
    assert data["party"]["name"] == HANDLING["party"]["name"]


@pytest.mark.requirement("PEN-1199")
def test_the_line_of_business_follows_the_violation_and_may_still_be_changed(walk: Walker) -> None:
    reach_the_application(walk)

    form, data = open_form(walk, "officer", "draft", changed="violation", typed={"violation": "ad_absolute"})

    assert (data["domain"], data["violated_law"]) == ("advertising", "《中华人民共和国广告法》第九条第三项")
    assert form.fields["domain"].compute is None


@pytest.mark.requirement("PEN-1199")
def test_every_violation_leads_to_one_of_the_twenty_five_lines(walk: Walker) -> None:
    with walk.app.db.connect() as connection:
        lines = load_dictionary(connection, dictionary="case_filing.domain")
        violations = load_dictionary(connection, dictionary="case_filing.violation")

    assert len(lines.entries) == 25
    assert {violations.detail(code, "domain") for code in violations.entries} <= set(lines.entries)


@pytest.mark.requirement("PEN-1199")
def test_the_application_has_every_group_of_the_standard(walk: Walker) -> None:
    reach_the_application(walk)

    form, _ = open_form(walk, "officer", "draft")

    titles = [group.title for group in form.groups]
    assert [title for title in titles if title in GROUPS] == GROUPS
    assert form.fields["assigned_on"].title == "交办日期"


@pytest.mark.requirement("PEN-1199")
def test_a_clue_assigned_from_above_needs_the_day_of_assignment(walk: Walker) -> None:
    with pytest.raises(Invalid) as refused:
        walk.start("officer", "case_filing.clue_intake", {**REGISTRATION, "source": "superior"})

    assert set(refused.value.fields) == {"assigned_on"}


@pytest.mark.requirement("PEN-1199")
def test_a_designated_jurisdiction_needs_its_units_and_day(walk: Walker) -> None:
    with pytest.raises(Invalid) as refused:
        walk.start("officer", "case_filing.clue_intake", {**REGISTRATION, "designated": True})

    assert set(refused.value.fields) == {"jurisdiction_unit", "designating_unit", "designated_on"}


@pytest.mark.requirement("PEN-1168")
def test_a_day_that_has_not_come_is_refused_with_a_reason(walk: Walker) -> None:
    with pytest.raises(Invalid) as refused:
        walk.start("officer", "case_filing.clue_intake", {**REGISTRATION, "received_on": "2026-11-21"})

    assert refused.value.fields == {"received_on": "收到日期不能晚于今天。"}


def test_filing_without_a_violation_is_refused_but_not_filing_needs_none(walk: Walker) -> None:
    register(walk)
    data = {key: HANDLING[key] for key in ("verified_on", "findings")}

    with pytest.raises(Invalid) as refused:
        walk.do("officer", "verify", "file", data)

    assert set(refused.value.fields) == {"violation", "domain", "party"}
    walk.do("officer", "verify", "no_filing", data)
    assert walk.waiting() == {"draft"}


def test_two_officers_are_two_people(walk: Walker) -> None:
    from tests.packs.case_filing.clues import filing

    reach_the_application(walk)
    alone = filing(walk) | {"officer_two": str(walk.actor("officer").person_id)}

    with pytest.raises(Invalid) as refused:
        walk.do("officer", "draft", "submit", alone)

    assert refused.value.fields == {"officer_two": "两名办案人员不能是同一个人。"}
