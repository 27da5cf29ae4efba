"""委派, 加签 before and after, 减签: the task comes back with the opinion, or waits for agreement; everything on record."""
from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from engine.access import audit
from engine.access.scope import may_see_case
from engine.kernel.errors import AlreadyDone, Conflict, Forbidden, Invalid, NotFound
from engine.runtime.add_signer import add_signer
from engine.runtime.delegate_task import delegate_task
from engine.runtime.give_opinion import give_opinion
from engine.runtime.remove_signer import remove_signer, take_back_submission
from engine.runtime.save_draft import find_draft
from engine.runtime.withdraw_act import withdraw_act
from engine.runtime.work import ActResult
from engine.storage.tables.organisation import audit_head, notice
from engine.storage.tables.runtime import act, submission, task_signer
from tests.engine.runtime.walk import HANDLING, application, do, key, open_nodes, open_task, send_back, start_clue
from tests.town import Town


def now(town: Town) -> Any:
    return town.app.clock.now()


def signers(town: Town) -> dict[str, str]:
    with town.app.db.connect() as connection:
        return {row.person_name: row.status for row in connection.execute(select(task_signer).order_by(task_signer.c.id))}


def count(town: Town, table: Any, *where: Any) -> int:
    with town.app.db.connect() as connection:
        return int(connection.scalar(select(func.count()).select_from(table).where(*where)) or 0)


def add(town: Town, who: str, node: str, when: str, *people: str) -> ActResult:
    chosen = [town.people[name] for name in people]
    return add_signer(town.app, actor=town.actor(who), task_id=open_task(town, node)["id"], when=when, people=chosen, words="请看。", key=key(), at=now(town))


def sign(town: Town, who: str, node: str, stance: str = "agree", opinion: str = "没有意见。") -> ActResult:
    return give_opinion(town.app, actor=town.actor(who), task_id=open_task(town, node)["id"], stance=stance, opinion=opinion, key=key(), at=now(town))


def at_review(town: Town) -> UUID:
    """A case that waits for the head's review; its id."""
    started = start_clue(town)
    do(town, "officer", "verify", "file", data=HANDLING)
    do(town, "officer", "draft", "submit", data=application(town))
    return started.case_id


def test_a_delegated_task_comes_back_with_the_opinion(town: Town) -> None:
    case_id = at_review(town)
    row = open_task(town, "office_review")
    delegate_task(town.app, actor=town.actor("head"), task_id=row["id"], to_person_id=town.people["other_officer"], words="你熟悉那一带。", key=key(), at=now(town))
    with town.app.db.connect() as connection:
        assert may_see_case(connection, town.actor("other_officer"), case_id)
    with pytest.raises(Conflict, match="正等莫怀瑾的意见"):
        do(town, "head", "office_review")
    with pytest.raises(Forbidden):
        do(town, "other_officer", "office_review")
    with pytest.raises(Invalid):
        sign(town, "other_officer", "office_review", opinion=" ")
    sign(town, "other_officer", "office_review", opinion="确有此店。")
    back = open_task(town, "office_review")
    assert (back["assignee_id"], back["from_name"], back["from_words"]) == (town.people["head"], "莫怀瑾", "确有此店。")
    with pytest.raises(Forbidden):
        sign(town, "other_officer", "office_review")
    do(town, "head", "office_review")
    assert open_nodes(town, case_id) == ["section_review"]
    assert [count(town, act, act.c.kind == kind) for kind in ("delegate", "sign")] == [1, 1]


def test_before_waits_for_everyone_and_a_removed_one_is_not_waited_for(town: Town) -> None:
    case_id = at_review(town)
    add(town, "head", "office_review", "before", "staff", "other_head")
    with pytest.raises(Invalid, match="已经在征求意见的名单里"):
        add(town, "head", "office_review", "before", "staff")
    sign(town, "staff", "office_review")
    with pytest.raises(Conflict, match="正等白晓棠"):
        do(town, "head", "office_review")
    row = open_task(town, "office_review")
    remove_signer(town.app, actor=town.actor("head"), task_id=row["id"], person_id=town.people["other_head"], reason="休假了。", key=key(), at=now(town))
    with town.app.db.connect() as connection:
        assert not may_see_case(connection, town.actor("other_head"), case_id)
    with pytest.raises(NotFound):
        remove_signer(town.app, actor=town.actor("head"), task_id=row["id"], person_id=town.people["staff"], key=key(), at=now(town))
    do(town, "head", "office_review")
    assert signers(town) == {"苏念安": "done", "白晓棠": "removed"}


def test_after_holds_the_completion_until_the_last_agrees(town: Town) -> None:
    case_id = at_review(town)
    add(town, "head", "office_review", "after", "staff", "other_head")
    with pytest.raises(AlreadyDone, match="还没有轮到您"):
        sign(town, "staff", "office_review")
    held = do(town, "head", "office_review", opinion="同意报批。")
    assert not held.next_tasks and open_nodes(town, case_id) == ["office_review"]
    with pytest.raises(Conflict, match="您已经提交"):
        do(town, "head", "office_review")
    with pytest.raises(Conflict):
        send_back(town, "head", "office_review", "draft")
    sign(town, "staff", "office_review", opinion="")
    done = sign(town, "other_head", "office_review", opinion="可以。")
    assert open_nodes(town, case_id) == ["section_review"] and done.next_tasks[0].title == "科室工作人员初审"
    following = open_task(town, "section_review")
    assert (following["from_name"], following["from_words"]) == ("周启衡", "同意报批。")
    with town.app.db.connect() as connection:
        last = connection.execute(select(act).where(act.c.id == done.act_id)).mappings().one()
        assert (last["actor_name"], last["opinion"], last["outcome_title"]) == ("白晓棠", "可以。", "同意，“审核通过”生效")
        assert connection.scalar(select(submission.c.by_name).where(submission.c.node == "office_review")) == "周启衡"
        assert all(audit.verify(connection, chain) is None for chain in connection.scalars(select(audit_head.c.chain)))
    do(town, "staff", "section_review")


def test_a_refusal_gives_the_submission_back_and_everyone_is_asked_anew(town: Town) -> None:
    case_id = at_review(town)
    add(town, "head", "office_review", "after", "staff", "other_head")
    do(town, "head", "office_review", opinion="同意报批。")
    sign(town, "staff", "office_review")
    with pytest.raises(Invalid):
        sign(town, "other_head", "office_review", "disagree", opinion="")
    sign(town, "other_head", "office_review", "disagree", opinion="证据不足。")
    row = open_task(town, "office_review")
    draft = find_draft(town.app, actor=town.actor("head"), task_id=row["id"])
    assert row["held"] is None and draft is not None and draft[0]["$opinion"] == "同意报批。"
    assert signers(town) == {"苏念安": "planned", "白晓棠": "planned"}
    do(town, "head", "office_review", opinion="已补证据。")
    sign(town, "staff", "office_review")
    sign(town, "other_head", "office_review")
    assert open_nodes(town, case_id) == ["section_review"]


def test_a_held_submission_is_taken_back_by_its_holder(town: Town) -> None:
    at_review(town)
    add(town, "head", "office_review", "after", "staff")
    do(town, "head", "office_review", opinion="同意。")
    row, head = open_task(town, "office_review"), town.actor("head")
    take_back_submission(town.app, actor=head, task_id=row["id"], key=key(), at=now(town))
    with pytest.raises(Conflict):
        take_back_submission(town.app, actor=head, task_id=row["id"], key=key(), at=now(town))
    do(town, "head", "office_review", opinion="同意。")
    remove_signer(town.app, actor=head, task_id=row["id"], person_id=town.people["staff"], key=key(), at=now(town))
    assert open_task(town, "office_review")["held"] is None
    done = do(town, "head", "office_review")
    assert done.next_tasks
    withdraw_act(town.app, actor=head, act_id=done.act_id, key=key(), at=now(town))
    assert open_task(town, "office_review")["assignee_id"] == town.people["head"]


def test_a_withdrawn_return_has_its_signers_again(town: Town) -> None:
    at_review(town)
    town.app.clock.advance(timedelta(minutes=1))
    do(town, "head", "office_review")
    add(town, "staff", "section_review", "after", "section_head")
    done = send_back(town, "staff", "section_review", "office_review")
    assert signers(town) == {"叶知行": "cancelled"}
    withdraw_act(town.app, actor=town.actor("staff"), act_id=done.act_id, key=key(), at=now(town))
    assert signers(town) == {"叶知行": "planned"}


def test_no_withdrawal_of_what_a_colleague_was_asked_about(town: Town) -> None:
    start_clue(town)
    do(town, "officer", "verify", "file", data=HANDLING)
    done = do(town, "officer", "draft", "submit", data=application(town))
    row = open_task(town, "office_review")
    delegate_task(town.app, actor=town.actor("head"), task_id=row["id"], to_person_id=town.people["staff"], key=key(), at=now(town))
    with pytest.raises(Conflict, match="周启衡已经接着办理"):
        withdraw_act(town.app, actor=town.actor("officer"), act_id=done.act_id, key=key(), at=now(town))


def test_the_same_key_asks_once_and_an_inactive_or_own_name_is_refused(town: Town) -> None:
    at_review(town)
    row, one = open_task(town, "office_review"), key()
    for _ in range(2):
        result = delegate_task(town.app, actor=town.actor("head"), task_id=row["id"], to_person_id=town.people["staff"], key=one, at=now(town))
    assert result.replayed and len(signers(town)) == 1
    assert count(town, notice, notice.c.person_id == town.people["staff"], notice.c.task_id == row["id"]) == 1
    for who in (town.people["head"], row["id"]):
        with pytest.raises((Invalid, Conflict)):
            delegate_task(town.app, actor=town.actor("head"), task_id=row["id"], to_person_id=who, key=key(), at=now(town))
    with pytest.raises(Invalid):
        add(town, "head", "office_review", "sometime", "staff")
