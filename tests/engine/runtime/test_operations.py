"""The desk of operators: facts put right, snapshots restored, instances ended, stuck cases found, jobs steered; each refusal changes nothing."""
from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, insert, select, text, update

from engine.kernel.errors import Conflict, Forbidden, Invalid
from engine.kernel.ids import new_id
from engine.runtime.begin import load_machine
from engine.runtime.invariants import find_violations
from engine.runtime.operating.repair_facts import declared_facts, repair_facts
from engine.runtime.operating.restore_snapshot import restore_snapshot
from engine.runtime.operating.retry_many import retry_many
from engine.runtime.operating.snapshots import get_instance, preview_restore, snapshots
from engine.runtime.operating.steer_job import steer_job
from engine.runtime.operating.terminate_instance import terminate_instance
from engine.runtime.queries import jobs as job_query
from engine.runtime.queries.stuck import REASONS, Limits, find_stuck, messages
from engine.runtime.save_draft import find_draft
from engine.storage.tables.cases import case_clock, case_file
from engine.storage.tables.organisation import audit
from engine.storage.tables.runtime import act, incident, instance, subscription, task, task_candidate, timer
from tests.engine.runtime.walk import HANDLING, application, do, key, open_nodes, open_task, start_clue
from tests.town import Town


def running(town: Town) -> UUID:
    with town.app.db.connect() as connection:
        return connection.scalars(select(instance.c.id).where(instance.c.ended_at.is_(None))).one()


def given(town: Town, **more: Any) -> dict[str, Any]:
    return {"actor": town.actor("keeper"), "instance_id": running(town), "reason": "办错了。", "key": key(), "at": town.app.clock.now(), **more}


def everything(town: Town) -> list[Any]:
    with town.app.db.connect() as connection:
        return [connection.execute(select(table).order_by(*table.primary_key.columns)).all() for table in (instance, task, timer, act, case_file, case_clock)]


def shots(town: Town, id: UUID) -> list[Any]:
    with town.app.db.connect() as connection:
        return snapshots(connection, instance_id=id)


def test_a_snapshot_brings_back_the_step_its_holder_and_what_was_typed(town: Town) -> None:
    case_id = start_clue(town).case_id
    id = running(town)
    do(town, "officer", "verify", "file", data=HANDLING)
    do(town, "officer", "draft", "submit", data=application(town))
    chosen = next(one for one in shots(town, id) if one["title"] == "承办人核查处理")
    with town.app.db.connect() as connection:
        preview = preview_restore(town.app, connection, row=get_instance(connection, instance_id=id), chosen={**_act(town, chosen["id"])}, at=town.app.clock.now())
    assert [one["node"] for one in preview.reopened] == ["verify"] and len(preview.closed) == 1 and preview.obstacles == []
    restore_snapshot(town.app, act_id=chosen["id"], **given(town))
    assert open_nodes(town, case_id) == ["verify"] and find_violations(town.app) == []
    step = open_task(town, "verify")
    assert step["assignee_id"] == town.people["officer"]
    assert find_draft(town.app, actor=town.actor("officer"), task_id=step["id"])[0]["findings"] == HANDLING["findings"]
    do(town, "officer", "verify", "file", data=HANDLING)
    assert open_nodes(town, case_id) == ["draft"] and find_violations(town.app) == []


def _act(town: Town, id: UUID) -> Any:
    with town.app.db.connect() as connection:
        return connection.execute(select(act).where(act.c.id == id)).mappings().one()


def test_nothing_is_restored_past_what_cannot_be_undone(town: Town) -> None:
    start_clue(town)
    do(town, "officer", "verify", "file", data=HANDLING)
    [chosen] = [one for one in shots(town, running(town)) if one["title"] == "承办人核查处理"]
    with town.app.db.begin() as connection:
        connection.execute(update(act).where(act.c.id == chosen["id"]).values(result={"irreversible": True, "undo": []}))
    before = everything(town)
    with pytest.raises(Conflict, match="已经产生不能撤销的结果"):
        restore_snapshot(town.app, act_id=chosen["id"], **given(town))
    with pytest.raises(Invalid):
        restore_snapshot(town.app, act_id=chosen["id"], **given(town, reason=" "))
    with pytest.raises(Forbidden):
        restore_snapshot(town.app, act_id=chosen["id"], **given(town, actor=town.actor("officer")))
    assert everything(town) == before


def test_an_ended_case_has_nothing_left_and_can_be_brought_back(town: Town) -> None:
    case_id = start_clue(town).case_id
    values = given(town, reason="当事人已注销。")
    terminate_instance(town.app, **values)
    assert terminate_instance(town.app, **values).replayed and open_nodes(town, case_id) == [] and find_violations(town.app) == []
    with town.app.db.connect() as connection:
        assert connection.scalar(select(case_file.c.state_title)) == "已终止" and connection.scalars(select(case_clock.c.state)).all() == ["cancelled"]
        assert connection.execute(select(timer)).all() == [] and connection.scalar(select(instance.c.status)) == "cancelled"
        id = connection.scalar(select(instance.c.id))
    for refused in (lambda: terminate_instance(town.app, **{**values, "key": key()}), lambda: repair_facts(town.app, values={"#approved": "true"}, **{**values, "key": key()})):
        with pytest.raises(Conflict, match="已经终止"):
            refused()
    restore_snapshot(town.app, act_id=shots(town, id)[0]["id"], **{**values, "key": key()})
    assert open_nodes(town, case_id) == ["verify"] and find_violations(town.app) == []
    with town.app.db.connect() as connection:
        assert connection.scalar(select(case_file.c.state)) != "terminated" and connection.scalars(select(case_clock.c.state)).all() == ["running"]
    do(town, "officer", "verify", "file", data=HANDLING)
    assert find_violations(town.app) == []


def test_facts_are_put_right_on_record_and_a_wrong_type_changes_nothing(town: Town) -> None:
    start_clue(town)
    id = running(town)
    with town.app.db.connect() as connection:
        facts = {fact.name: fact for fact in declared_facts(load_machine(town.app, get_instance(connection, instance_id=id), town.app.clock.now()))}
    inner = facts["approved"]
    assert inner.type == "boolean" and inner.scope and inner.value is None
    before = everything(town)
    with pytest.raises(Invalid) as refused:
        repair_facts(town.app, values={inner.key: "也许", facts["due_on"].key: "明天"}, **given(town))
    assert set(refused.value.fields) == {inner.key, facts["due_on"].key} and everything(town) == before
    with pytest.raises(Invalid, match="没有改动"):
        repair_facts(town.app, values={inner.key: ""}, **given(town))
    repair_facts(town.app, values={inner.key: "true", facts["due_on"].key: facts["due_on"].text}, **given(town))
    with town.app.db.connect() as connection:
        machine = load_machine(town.app, get_instance(connection, instance_id=id), town.app.clock.now())
        said = connection.scalar(select(act.c.opinion).where(act.c.kind == "repair"))
        assert connection.scalar(select(audit.c.seq).where(audit.c.action == "act.repair")) is not None
    assert {fact.name: fact.value for fact in declared_facts(machine)}["approved"] is True
    assert said == "已获批准：（空） → 是。办错了。" and find_violations(town.app) == []


def limits(town: Town) -> Limits:
    now = town.app.clock.now()
    return Limits(settled=now - timedelta(minutes=15), untouched=now - timedelta(days=14), suspended=now - timedelta(days=14), silent=now - timedelta(days=14))


def stuck(town: Town) -> dict[str, int]:
    with town.app.db.connect() as connection:
        found = {reason.key: find_stuck(connection, actor=town.actor("keeper"), limits=limits(town), reason=reason) for reason in (*REASONS, messages(town.app.library))}
    return {name: len(rows) for name, rows in found.items() if rows}


def test_the_finder_says_why_a_case_does_not_get_on(town: Town) -> None:
    start_clue(town)
    id = running(town)
    assert stuck(town) == {}
    town.app.clock.advance(timedelta(days=40))
    assert set(stuck(town)) >= {"untouched", "timer"} and "nothing" not in stuck(town)
    with town.app.db.begin() as connection:
        connection.execute(insert(subscription).values(instance_id=id, engine_id=str(new_id()), kind="message", name="没人发的消息", node="verify"))
    assert stuck(town)["message"] == 1
    with town.app.db.begin() as connection:
        connection.execute(update(task).values(assignee_id=None))
        connection.execute(delete(task_candidate))
    assert stuck(town)["nobody"] == 1
    with town.app.db.begin() as connection:
        connection.execute(delete(subscription))
        connection.execute(delete(timer))
        connection.execute(update(task).values(status="cancelled"))
    assert stuck(town) == {"nothing": 1}
    with town.app.db.begin() as connection:
        connection.execute(update(instance).values(status="suspended"))
    assert stuck(town) == {"suspended": 1}
    with town.app.db.connect() as connection:
        stranger = town.actor("other_officer")
        assert all(not find_stuck(connection, actor=stranger, limits=limits(town), reason=reason) for reason in REASONS)


def test_jobs_are_run_again_and_called_off(town: Town) -> None:
    with town.app.db.begin() as connection:
        connection.execute(text("INSERT INTO procrastinate_jobs (queue_name, task_name, status, attempts) VALUES ('default', 'runtime.match_inbox', 'failed', 6)"))
        later = {"at": town.app.clock.now() + timedelta(days=1)}
        connection.execute(text("INSERT INTO procrastinate_jobs (queue_name, task_name, scheduled_at) VALUES ('default', 'runtime.match_inbox', :at)"), later)
    now, keeper = town.app.clock.now(), town.actor("keeper")
    with town.app.db.connect() as connection:
        assert {name: count for name, count in job_query.counts(connection, at=now).items() if count} == {"failed": 1, "scheduled": 1}
        [failed], [planned] = (job_query.listed(connection, tab=tab, at=now) for tab in ("failed", "scheduled"))
    with pytest.raises(Forbidden):
        steer_job(town.app, actor=town.actor("officer"), job_id=failed["id"], what="retry", at=now)
    steer_job(town.app, actor=keeper, job_id=failed["id"], what="retry", at=now)
    steer_job(town.app, actor=keeper, job_id=planned["id"], what="cancel", at=now)
    for job, what in ((failed, "retry"), (planned, "cancel")):  # an answer that was lost is asked for again
        steer_job(town.app, actor=keeper, job_id=job["id"], what=what, at=now)
    with pytest.raises(Conflict):
        steer_job(town.app, actor=keeper, job_id=planned["id"], what="retry", at=now)
    with town.app.db.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM audit WHERE action LIKE 'job.%'")) == 2
        assert {name: count for name, count in job_query.counts(connection, at=now).items() if count} == {"queued": 1}


def test_several_incidents_are_retried_each_for_itself(town: Town) -> None:
    case_id = start_clue(town).case_id
    broken, gone = new_id(), new_id()
    step = open_task(town, "verify")
    with town.app.db.begin() as connection:
        connection.execute(insert(incident).values(
            id=broken, instance_id=running(town), case_id=case_id, engine_id=step["engine_id"], node="verify", kind="assignment", message="没有人。", status="open",
            opened_at=town.app.clock.now(),
        ))
    results = retry_many(town.app, actor=town.actor("keeper"), incident_ids=[broken, gone], reason="已配好人员。", key=key(), at=town.app.clock.now())
    assert results[broken] == "" and "没有这条异常" in results[gone]
    with pytest.raises(Forbidden):
        retry_many(town.app, actor=town.actor("officer"), incident_ids=[broken], reason="", key=key(), at=town.app.clock.now())
