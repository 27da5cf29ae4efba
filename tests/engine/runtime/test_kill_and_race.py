"""Whatever races and whatever is killed: every task is done once, and state, rows, numbers and audit trail agree."""
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, func, select, text, update

from engine.runtime.claim_task import release_task
from engine.runtime.invariants import find_violations
from engine.runtime.withdraw_act import withdraw_act
from engine.storage.tables.documents import number_counter
from engine.storage.tables.organisation import audit
from engine.storage.tables.runtime import act, instance, task, task_candidate, timer
from tests.engine.runtime.race import race
from tests.engine.runtime.walk import HANDLING, application, do, open_nodes, open_task, start_clue
from tests.town import Town


def count(town: Town, query: Any) -> int:
    with town.app.db.connect() as connection:
        return int(connection.scalar(query) or 0)


def storm(town: Town, log: Path, *, processes: int, acts: int, seed: int) -> None:
    for _ in range(4):
        start_clue(town)
    killed = race(town, processes=processes, acts=acts, log=log, seed=seed)
    assert not log.exists(), log.read_text(encoding="utf-8")
    assert killed >= acts / 2
    assert find_violations(town.app) == []
    keys = select(func.count() - func.count(act.c.key.distinct())).select_from(act)
    assert count(town, keys) == 0
    assert count(town, select(func.count()).select_from(act).where(act.c.kind == "complete")) >= acts
    twice = select(act.c.key).where(act.c.kind == "start").group_by(act.c.key).having(func.count() > 1)
    assert count(town, select(func.count()).select_from(twice.subquery())) == 0


def test_a_short_storm_leaves_nothing_inconsistent(town: Town, tmp_path: Path) -> None:
    storm(town, tmp_path / "race.log", processes=4, acts=12, seed=7)
    case_id = start_clue(town).case_id
    do(town, "officer", "verify", "file", data=HANDLING, case_id=case_id)
    do(town, "officer", "draft", "submit", data=application(town), case_id=case_id)
    assert open_nodes(town, case_id) == ["office_review"]


@pytest.mark.prove
@pytest.mark.parametrize("seed", [11, 23, 42])
def test_a_long_storm_leaves_nothing_inconsistent(town: Town, tmp_path: Path, seed: int) -> None:
    storm(town, tmp_path / "race.log", processes=6, acts=120, seed=seed)


def test_a_step_put_back_after_a_withdrawal_stands_in_its_pool_again(town: Town) -> None:
    case_id = start_clue(town).case_id
    do(town, "officer", "verify", "file", data=HANDLING, case_id=case_id)
    do(town, "officer", "draft", "submit", data=application(town), case_id=case_id)
    done = do(town, "head", "office_review", case_id=case_id)
    head, at = town.actor("head"), town.app.clock.now()
    withdraw_act(town.app, actor=head, act_id=done.act_id, key="back-1", at=at)
    release_task(town.app, actor=head, task_id=open_task(town, "office_review", case_id)["id"], key="back-2", at=at)
    assert find_violations(town.app) == []
    assert count(town, select(func.count()).select_from(task_candidate).where(task_candidate.c.open)) == 1


def _spoil_task(connection: Any) -> None:
    connection.execute(update(task).where(task.c.node == "verify").values(status="done"))


def _spoil_pool(connection: Any) -> None:
    done = select(task.c.id).where(task.c.status == "done").limit(1).scalar_subquery()
    unit, post = connection.execute(select(task_candidate.c.unit_id, task_candidate.c.post).limit(1)).one()
    connection.execute(task_candidate.insert().values(task_id=done, unit_id=unit, post=post, open=True))


def _spoil_revision(connection: Any) -> None:
    connection.execute(update(instance).values(rev=instance.c.rev + 1))


def _spoil_timer(connection: Any) -> None:
    connection.execute(delete(timer))


def _spoil_number(connection: Any) -> None:
    connection.execute(update(number_counter).values(last=number_counter.c.last + 1))


def _spoil_audit(connection: Any) -> None:
    connection.execute(text("SET LOCAL session_replication_role = replica"))
    connection.execute(update(audit).where(audit.c.seq == 2).values(actor_name="别人"))


def _spoil_state(connection: Any) -> None:
    connection.execute(update(instance).values(state=b"x"))


def _spoil_end(connection: Any) -> None:
    connection.execute(update(instance).values(status="completed"))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_spoil_task, "开着的任务与引擎状态不符"), (_spoil_pool, "已经不在办理的任务"), (_spoil_revision, "修订号"), (_spoil_timer, "定时与引擎状态不符"),
        (_spoil_number, "断号或重号"), (_spoil_audit, "审计链"), (_spoil_state, "状态读不出来"), (_spoil_end, "未办完"),
    ],
)
def test_the_doctor_sees_each_kind_of_damage(town: Town, spoil: Callable[[Any], None], words: str) -> None:
    start_clue(town)
    case_id = start_clue(town).case_id
    do(town, "officer", "verify", "file", data=HANDLING, case_id=case_id)
    do(town, "officer", "draft", "submit", data=application(town), case_id=case_id)
    assert find_violations(town.app) == []
    with town.app.db.begin() as connection:
        spoil(connection)
    assert any(words in line for line in find_violations(town.app))
