"""Acts on a task: once, by the right person, taken back, handed over, never half done."""
from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import func, select

from engine.kernel.errors import AlreadyDone, Conflict, Forbidden, Invalid, NotFound, StaleRevision
from engine.runtime.claim_task import claim_task, release_task
from engine.runtime.complete_task import complete_task
from engine.runtime.preview_next import preview_next
from engine.runtime.return_task import return_targets
from engine.runtime.save_draft import find_draft, others_on_form, save_draft
from engine.runtime.start_case import start_case, startable
from engine.runtime.transfer_task import transfer_task
from engine.runtime.withdraw_act import withdraw_act
from engine.storage.tables.cases import case_clock, case_file
from engine.storage.tables.documents import document
from engine.storage.tables.organisation import notice
from engine.storage.tables.runtime import act, instance, submission, task
from tests.engine.runtime.walk import CLUE, HANDLING, application, case_of, do, key, open_nodes, open_task, send_back, start_clue
from tests.town import Town


def count(town: Town, table: Any, *where: Any) -> int:
    with town.app.db.connect() as connection:
        return int(connection.scalar(select(func.count()).select_from(table).where(*where)) or 0)


def now(town: Town) -> Any:
    return town.app.clock.now()


def test_the_same_key_twice_is_one_act(town: Town) -> None:
    actor, one = town.actor("officer"), key()
    first = start_case(town.app, actor=actor, process="case_filing.clue_intake", data=CLUE, outcome="submit", key=one, at=now(town))
    again = start_case(town.app, actor=actor, process="case_filing.clue_intake", data=CLUE, outcome="submit", key=one, at=now(town))

    assert again.replayed and again.act_id == first.act_id
    assert [brief.title for brief in again.next_tasks] == [brief.title for brief in first.next_tasks]
    assert count(town, case_file) == 1


def test_a_key_used_for_another_request_is_refused(town: Town) -> None:
    actor, one = town.actor("officer"), key()
    start_case(town.app, actor=actor, process="case_filing.clue_intake", data=CLUE, outcome="submit", key=one, at=now(town))
    with pytest.raises(Conflict, match="已经用在另一次办理上"):
        start_case(town.app, actor=actor, process="case_filing.clue_intake", data={**CLUE, "title": "别的"}, outcome="submit", key=one, at=now(town))


def test_an_invalid_form_changes_nothing(town: Town) -> None:
    start_clue(town)
    with pytest.raises(Invalid) as refused:
        do(town, "officer", "verify", "file", data={"verified_on": "2026-11-20"})
    assert "findings" in refused.value.fields
    assert open_task(town, "verify")["status"] == "open"
    assert count(town, act) == 1


def test_a_foreign_field_is_refused(town: Town) -> None:
    start_clue(town)
    with pytest.raises(Invalid) as refused:
        do(town, "officer", "verify", "file", data={**HANDLING, "salary": "1"})
    assert "没有“salary”这一栏" in refused.value.fields["salary"]


def test_an_outcome_the_step_does_not_offer_is_refused(town: Town) -> None:
    start_clue(town)
    with pytest.raises(Invalid, match="可以选：拟立案"):
        do(town, "officer", "verify", "approve", data=HANDLING)


def test_somebody_without_the_task_may_not_complete_it(town: Town) -> None:
    start_clue(town)
    with pytest.raises(NotFound):
        do(town, "other_officer", "verify", "file", data=HANDLING)
    with pytest.raises(Forbidden):
        start_case(town.app, actor=town.actor("chief"), process="case_filing.clue_intake", data=CLUE, outcome="submit", key=key(), at=now(town))


def test_only_those_with_the_role_see_what_they_may_start(town: Town) -> None:
    assert "case_filing.clue_intake" in [s.process for s in startable(town.app, actor=town.actor("officer"), at=now(town))]
    assert "case_filing.clue_intake" not in [s.process for s in startable(town.app, actor=town.actor("chief"), at=now(town))]


def test_two_officers_complete_one_task_at_once_and_one_wins(town: Town) -> None:
    start_clue(town)
    do(town, "officer", "verify", "file", data=HANDLING)
    do(town, "officer", "draft", "submit", data=application(town))
    row, actor, at = open_task(town, "office_review"), town.actor("head"), now(town)
    results: list[Any] = []

    def go() -> None:
        try:
            results.append(complete_task(town.app, actor=actor, task_id=row["id"], data={}, outcome="approve", key=key(), at=at))
        except AlreadyDone as error:
            results.append(error)

    threads = [threading.Thread(target=go) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    refused = [r for r in results if isinstance(r, AlreadyDone)]
    assert len(results) == 4 and len(refused) == 3
    assert "已由周启衡办理" in refused[0].message
    assert count(town, task, task.c.node == "section_review") == 1


def test_a_withdrawn_act_gives_back_task_answers_and_case(town: Town) -> None:
    started = start_clue(town)
    done = do(town, "officer", "verify", "file", data=HANDLING, opinion="情况属实。")
    assert case_of(town, started.case_id)["subject"] == "上海云浦麦浪食品有限公司"
    withdraw_act(town.app, actor=town.actor("officer"), act_id=done.act_id, key=key(), at=now(town))

    back = open_task(town, "verify")
    assert open_nodes(town, started.case_id) == ["verify"]
    kept = find_draft(town.app, actor=town.actor("officer"), task_id=back["id"])
    assert kept is not None and kept[0]["findings"] == HANDLING["findings"]
    assert kept[0]["party"]["identifier"] == HANDLING["party"]["identifier"] and kept[0]["$opinion"] == "情况属实。"
    assert case_of(town, started.case_id)["subject"] == ""
    assert count(town, submission, submission.c.superseded) == 1
    do(town, "officer", "verify", "file", data=HANDLING)
    assert open_nodes(town, started.case_id) == ["draft"]


def test_a_withdrawn_application_voids_its_draft_document(town: Town) -> None:
    start_clue(town)
    do(town, "officer", "verify", "file", data=HANDLING)
    done = do(town, "officer", "draft", "submit", data=application(town))
    assert count(town, document, document.c.state == "draft") == 1
    withdraw_act(town.app, actor=town.actor("officer"), act_id=done.act_id, key=key(), at=now(town))
    assert count(town, document, document.c.state == "void") == 1
    do(town, "officer", "draft", "submit", data=application(town))
    assert count(town, document, document.c.state == "draft") == 1


def test_no_withdrawal_after_somebody_went_on(town: Town) -> None:
    start_clue(town)
    do(town, "officer", "verify", "file", data=HANDLING)
    done = do(town, "officer", "draft", "submit", data=application(town))
    do(town, "head", "office_review")
    with pytest.raises(Conflict, match="周启衡已经接着办理"):
        withdraw_act(town.app, actor=town.actor("officer"), act_id=done.act_id, key=key(), at=now(town))


def test_a_start_that_set_a_legal_clock_going_is_not_withdrawn(town: Town) -> None:
    started = start_clue(town)
    with pytest.raises(Conflict, match="登记时已经开始计算法定期限，不能撤回"):
        withdraw_act(town.app, actor=town.actor("officer"), act_id=started.act_id, key=key(), at=now(town))
    with pytest.raises(NotFound):
        withdraw_act(town.app, actor=town.actor("head"), act_id=started.act_id, key=key(), at=now(town))
    assert count(town, case_clock, case_clock.c.state == "running") == 1


def test_claim_release_and_who_was_faster(town: Town) -> None:
    start_clue(town)
    do(town, "officer", "verify", "file", data=HANDLING)
    do(town, "officer", "draft", "submit", data=application(town))
    row = open_task(town, "office_review")
    claim_task(town.app, actor=town.actor("head"), task_id=row["id"], key=key(), at=now(town))
    assert open_task(town, "office_review")["assignee_id"] == town.people["head"]
    with pytest.raises(NotFound):
        claim_task(town.app, actor=town.actor("other_head"), task_id=row["id"], key=key(), at=now(town))
    release_task(town.app, actor=town.actor("head"), task_id=row["id"], key=key(), at=now(town))
    assert open_task(town, "office_review")["assignee_id"] is None


def test_a_transferred_task_is_the_colleagues_and_both_are_on_record(town: Town) -> None:
    start_clue(town)
    row = open_task(town, "verify")
    transfer_task(town.app, actor=town.actor("officer"), task_id=row["id"], to_person_id=town.people["officer_two"], reason="出差。", key=key(), at=now(town))
    with pytest.raises(Forbidden):
        do(town, "officer", "verify", "file", data=HANDLING)
    do(town, "officer_two", "verify", "file", data=HANDLING)
    assert count(town, act, act.c.kind == "transfer", act.c.opinion == "出差。") == 1
    assert count(town, notice, notice.c.person_id == town.people["officer_two"]) == 1


def test_a_draft_survives_and_a_second_window_is_told(town: Town) -> None:
    start_clue(town)
    row, officer = open_task(town, "verify"), town.actor("officer")
    rev = save_draft(town.app, actor=officer, task_id=row["id"], data={"findings": "写到一半"}, form_hash="h", rev=0, at=now(town))
    assert find_draft(town.app, actor=officer, task_id=row["id"])[0] == {"findings": "写到一半"}  # type: ignore[index]
    with pytest.raises(StaleRevision):
        save_draft(town.app, actor=officer, task_id=row["id"], data={"findings": "另一窗口"}, form_hash="h", rev=0, at=now(town))
    assert save_draft(town.app, actor=officer, task_id=row["id"], data={"findings": "写完"}, form_hash="h", rev=rev, at=now(town)) == 2
    assert others_on_form(town.app, actor=town.actor("head"), task_id=row["id"], since=now(town)) == ["顾明川"]


def test_the_next_people_are_known_before_submitting(town: Town) -> None:
    start_clue(town)
    do(town, "officer", "verify", "file", data=HANDLING)
    row = open_task(town, "draft")
    coming = preview_next(town.app, actor=town.actor("officer"), task_id=row["id"], outcome="submit", at=now(town))
    assert [(brief.title, brief.people) for brief in coming] == [("办案机构负责人审核", ("周启衡",))]
    assert open_task(town, "draft")["id"] == row["id"]


def test_return_targets_name_what_each_undoes(town: Town) -> None:
    start_clue(town)
    do(town, "officer", "verify", "file", data=HANDLING)
    do(town, "officer", "draft", "submit", data=application(town))
    do(town, "head", "office_review")
    do(town, "staff", "section_review")
    do(town, "section_head", "section_head_review", "joint", data={"joint_unit": str(town.units["quality_section"])})
    do(town, "joint_staff", "joint_staff_review")
    do(town, "joint_head", "joint_head_review")
    row = open_task(town, "agency_approval")
    targets = return_targets(town.app, actor=town.actor("chief"), task_id=row["id"])
    assert [(t.node, t.person) for t in targets] == [("section_head_review", "叶知行"), ("office_review", "周启衡"), ("draft", "顾明川")]
    assert len(targets[2].undoes) == 6


@pytest.mark.parametrize("to", ["section_head_review", "office_review", "draft"])
def test_the_agency_head_returns_to_each_of_the_three(town: Town, to: str) -> None:
    started = start_clue(town)
    do(town, "officer", "verify", "file", data=HANDLING)
    do(town, "officer", "draft", "submit", data=application(town))
    do(town, "head", "office_review")
    do(town, "staff", "section_review")
    do(town, "section_head", "section_head_review", "joint", data={"joint_unit": str(town.units["quality_section"])})
    do(town, "joint_staff", "joint_staff_review")
    do(town, "joint_head", "joint_head_review")
    send_back(town, "chief", "agency_approval", to, "请补正。")
    assert open_nodes(town, started.case_id) == [to]
    assert open_task(town, to)["returned"]
    assert count(town, instance, instance.c.status == "running") == 1


def test_a_return_needs_its_reason_and_a_legal_place(town: Town) -> None:
    start_clue(town)
    do(town, "officer", "verify", "file", data=HANDLING)
    do(town, "officer", "draft", "submit", data=application(town))
    with pytest.raises(Invalid, match="理由"):
        send_back(town, "head", "office_review", "draft", "  ")
    with pytest.raises(Invalid, match="不能退回到这一步"):
        send_back(town, "head", "office_review", "agency_approval", "退")


def test_looking_ahead_past_the_last_approval_sees_that_nobody_comes(town: Town) -> None:
    start_clue(town)
    do(town, "officer", "verify", "file", data=HANDLING)
    do(town, "officer", "draft", "submit", data=application(town))
    do(town, "head", "office_review")
    do(town, "staff", "section_review")
    do(town, "section_head", "section_head_review", "joint", data={"joint_unit": str(town.units["quality_section"])})
    do(town, "joint_staff", "joint_staff_review")
    do(town, "joint_head", "joint_head_review")
    row, chief = open_task(town, "agency_approval"), town.actor("chief")
    assert preview_next(town.app, actor=chief, task_id=row["id"], outcome="approve", at=now(town)) == []
    refused = preview_next(town.app, actor=chief, task_id=row["id"], outcome="disapprove", at=now(town))
    assert [brief.title for brief in refused] == ["承办人核查处理"]
