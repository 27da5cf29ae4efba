"""Batch approve and batch return: one result per item, each an act of its own; what is refused is left as it was."""
from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from engine.kernel.errors import Invalid
from engine.runtime.act_on_many import Item, batch_complete, batch_return
from engine.runtime.start_case import start_case
from engine.storage.tables.runtime import act, task
from tests.engine.runtime.walk import CLUE, HANDLING, application, do, key
from tests.town import Town


def at_review(town: Town, number: int) -> list[Any]:
    """Ids of ``number`` tasks that wait for the head's review, in the order of their cases."""
    now, found = town.app.clock.now(), []
    for place in range(number):
        started = start_case(town.app, actor=town.actor("officer"), process="case_filing.clue_intake", data={**CLUE, "title": f"线索 {place}"},
                             outcome="submit", key=key(), at=now)
        do(town, "officer", "verify", "file", data=HANDLING, case_id=started.case_id)
        done = do(town, "officer", "draft", "submit", data=application(town), case_id=started.case_id)
        found.append(done.next_tasks[0].id)
    return found


def nodes(town: Town) -> list[str]:
    with town.app.db.connect() as connection:
        return list(connection.scalars(select(task.c.node).where(task.c.status == "open").order_by(task.c.opened_at, task.c.id)))


def test_one_result_per_item_and_a_refused_one_changes_nothing(town: Town) -> None:
    first, second = at_review(town, 2)
    stranger = town.people["chief"]
    items = [Item(task_id=id, key=key(), outcome=outcome, opinion="同意。") for id, outcome in ((first, "approve"), (second, "joint"), (stranger, "approve"), (first, "approve"))]
    now = town.app.clock.now()
    results = batch_complete(town.app, actor=town.actor("head"), items=items, at=now)
    assert [r.ok for r in results] == [True, False, False, False]
    assert "不能选" in results[1].message and results[2].code == "not_found" and results[3].code == "already_done"
    assert sorted(nodes(town)) == ["office_review", "section_review"]
    again = batch_complete(town.app, actor=town.actor("head"), items=items[:1], at=now)
    assert again[0].ok and again[0].result is not None and again[0].result.replayed
    with town.app.db.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(act).where(act.c.actor_name == "周启衡")) == 1


def test_a_batch_return_goes_to_the_nearest_step_and_a_repeat_is_one_act(town: Town) -> None:
    ids, now, head = at_review(town, 2), town.app.clock.now(), town.actor("head")
    items = [Item(task_id=id, key=key(), opinion="请补照片。") for id in ids]
    assert all(r.ok for r in batch_return(town.app, actor=head, items=items, at=now))
    again = batch_return(town.app, actor=head, items=items, at=now)
    assert [r.result.replayed for r in again if r.result] == [True, True]
    assert nodes(town) == ["draft", "draft"]
    without = batch_return(town.app, actor=town.actor("officer"), items=[Item(task_id=ids[0], key=key(), opinion="x")], at=now)
    assert not without[0].ok
    with pytest.raises(Invalid):
        batch_return(town.app, actor=head, items=[], at=now)
