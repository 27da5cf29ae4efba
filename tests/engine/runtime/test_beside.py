"""Acts beside the flow: copies, urging, comments. On record, told, and never in the way of a withdrawal."""
from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from engine.access import audit
from engine.access.scope import may_see_case
from engine.kernel.errors import AlreadyDone, Conflict, Forbidden, Invalid, NotFound
from engine.runtime.cc_case import cc_case
from engine.runtime.comment_case import comment_case
from engine.runtime.urge_task import urge_task
from engine.runtime.withdraw_act import withdraw_act
from engine.storage.tables.cases import case_copy
from engine.storage.tables.organisation import audit_head, notice
from engine.storage.tables.runtime import act, task
from tests.engine.runtime.walk import HANDLING, application, do, key, open_nodes, open_task, start_clue
from tests.town import Town


def now(town: Town) -> Any:
    return town.app.clock.now()


def count(town: Town, table: Any, *where: Any) -> int:
    with town.app.db.connect() as connection:
        return int(connection.scalar(select(func.count()).select_from(table).where(*where)) or 0)


def sees(town: Town, who: str, case_id: Any) -> bool:
    with town.app.db.connect() as connection:
        return may_see_case(connection, town.actor(who), case_id)


def test_a_copy_lets_a_colleague_see_the_case_and_is_on_record(town: Town) -> None:
    started, one = start_clue(town), key()
    assert not sees(town, "other_officer", started.case_id)
    for _ in range(2):  # the same key is one act
        cc_case(town.app, actor=town.actor("officer"), case_id=started.case_id, people=[town.people["other_officer"]], words="供参考。", key=one, at=now(town))
    assert sees(town, "other_officer", started.case_id)
    assert count(town, act, act.c.kind == "cc", act.c.outcome_title == "抄送莫怀瑾") == 1
    assert count(town, notice, notice.c.person_id == town.people["other_officer"], notice.c.kind == "copied") == 1
    cc_case(town.app, actor=town.actor("officer"), case_id=started.case_id, people=[town.people["other_officer"]], words="又一次。", key=key(), at=now(town))
    with town.app.db.connect() as connection:
        assert [(row.words, row.by_name) for row in connection.execute(select(case_copy))] == [("又一次。", "顾明川")]
        assert all(audit.verify(connection, chain) is None for chain in connection.scalars(select(audit_head.c.chain)))


def test_who_may_not_copy_and_to_whom(town: Town) -> None:
    started = start_clue(town)
    people = [town.people["other_officer"]]
    with pytest.raises(Forbidden):
        cc_case(town.app, actor=town.actor("chief"), case_id=started.case_id, people=people, key=key(), at=now(town))
    with pytest.raises(NotFound):
        cc_case(town.app, actor=town.actor("other_officer"), case_id=started.case_id, people=people, key=key(), at=now(town))
    for bad in ([], [town.people["officer"]], [started.case_id]):
        with pytest.raises(Invalid):
            cc_case(town.app, actor=town.actor("officer"), case_id=started.case_id, people=bad, key=key(), at=now(town))
    assert count(town, act) == 1


def test_urging_reaches_everyone_in_the_pool_once_in_two_hours(town: Town) -> None:
    start_clue(town)
    do(town, "officer", "verify", "file", data=HANDLING)
    do(town, "officer", "draft", "submit", data=application(town))
    row = open_task(town, "office_review")
    urge_task(town.app, actor=town.actor("officer"), task_id=row["id"], words="明天到期。", key=key(), at=now(town))
    with pytest.raises(Conflict, match="以后可以再催"):
        urge_task(town.app, actor=town.actor("officer"), task_id=row["id"], key=key(), at=now(town) + timedelta(minutes=119))
    urge_task(town.app, actor=town.actor("officer"), task_id=row["id"], key=key(), at=now(town) + timedelta(hours=2))
    assert count(town, notice, notice.c.person_id == town.people["head"], notice.c.kind == "urge") == 2
    assert open_task(town, "office_review")["urged"] == 2
    with pytest.raises(Invalid, match="您自己手里"):
        urge_task(town.app, actor=town.actor("head"), task_id=row["id"], key=key(), at=now(town))
    do(town, "head", "office_review")
    with pytest.raises(AlreadyDone):
        urge_task(town.app, actor=town.actor("officer"), task_id=row["id"], key=key(), at=now(town) + timedelta(hours=5))


def test_neither_urging_nor_comments_nor_copies_stop_a_withdrawal(town: Town) -> None:
    started = start_clue(town)
    do(town, "officer", "verify", "file", data=HANDLING)
    done = do(town, "officer", "draft", "submit", data=application(town))
    officer = town.actor("officer")
    urge_task(town.app, actor=officer, task_id=open_task(town, "office_review")["id"], key=key(), at=now(town))
    comment_case(town.app, actor=town.actor("head"), case_id=started.case_id, text="请核对地址。", key=key(), at=now(town))
    cc_case(town.app, actor=officer, case_id=started.case_id, people=[town.people["officer_two"]], key=key(), at=now(town))
    withdraw_act(town.app, actor=officer, act_id=done.act_id, key=key(), at=now(town))
    assert open_nodes(town, started.case_id) == ["draft"]
    assert count(town, act, act.c.kind.in_(["urge", "comment", "cc"]), act.c.undone_by.is_(None)) == 3
    assert count(town, task, task.c.status == "open") == 1


def test_a_comment_tells_the_holder_and_needs_words(town: Town) -> None:
    started = start_clue(town)
    with pytest.raises(Invalid):
        comment_case(town.app, actor=town.actor("head"), case_id=started.case_id, text="  ", key=key(), at=now(town))
    comment_case(town.app, actor=town.actor("head"), case_id=started.case_id, text="请先电话核实。", key=key(), at=now(town))
    assert count(town, notice, notice.c.person_id == town.people["officer"], notice.c.kind == "comment") == 1
    with pytest.raises(NotFound):
        comment_case(town.app, actor=town.actor("other_officer"), case_id=started.case_id, text="看不到的人", key=key(), at=now(town))
