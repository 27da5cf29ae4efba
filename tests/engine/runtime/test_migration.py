"""Running cases on a newer version: looked at without a change, moved with everything that hangs on them, and back again."""
from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from engine.kernel.errors import Conflict, Forbidden
from engine.kernel.settings import ROOT
from engine.runtime.claim_task import claim_task
from engine.runtime.deploy_file import deploy_file
from engine.runtime.invariants import find_violations
from engine.runtime.migrating.begin_migration import begin_migration, look_again
from engine.runtime.migrating.run_migration import cancel_migration, start_migration, undo_migration, undo_one
from engine.runtime.operating.terminate_instance import terminate_instance
from engine.runtime.save_draft import find_draft, save_draft
from engine.runtime.suspend_instance import resume_case, suspend_case
from engine.storage.tables.runtime import act, instance, task, timer
from engine.storage.tables.versions import migration, migration_item
from tests.engine.runtime.case_bundle.test_case_bundle import checked, export
from tests.engine.runtime.walk import HANDLING, application, do, key, open_nodes, open_task, start_clue
from tests.town import Town

HANDLING_FILE = "clue_handling.bpmn"
SOURCE = (ROOT / "processes" / "case_filing" / HANDLING_FILE).read_text(encoding="utf-8")
RENAMED = SOURCE.replace('id="verify"', 'id="verify_clue"').replace('Ref="verify"', 'Ref="verify_clue"').replace('attachedToRef="verify"', 'attachedToRef="verify_clue"')
RENAMED = RENAMED.replace('bpmnElement="verify"', 'bpmnElement="verify_clue"')
STEP = "case_filing.clue_handling:verify"


def deploy(town: Town, content: str, filename: str = HANDLING_FILE, pack: str = "case_filing") -> Any:
    return deploy_file(town.app, actor=town.actor("keeper"), pack=pack, filename=filename, content=content.encode(), note="试", at=town.app.clock.now())


def look(town: Town, process: str = "", **more: Any) -> UUID:
    id = begin_migration(town.app, actor=town.actor("keeper"), process=process or root(town), at=town.app.clock.now(), **more)
    town.app.jobs.run_due(town.app)
    return id


def root(town: Town) -> str:
    with town.app.db.connect() as connection:
        return str(connection.scalar(select(instance.c.process).where(instance.c.ended_at.is_(None)).limit(1)))


def items(town: Town, id: UUID) -> list[Any]:
    with town.app.db.connect() as connection:
        return list(connection.execute(select(migration_item).where(migration_item.c.migration_id == id).order_by(migration_item.c.instance_id)).mappings())


def start(town: Town, id: UUID, **more: Any) -> list[Any]:
    start_migration(town.app, actor=town.actor("keeper"), migration_id=id, at=town.app.clock.now(), **more)
    town.app.jobs.run_due(town.app)
    return items(town, id)


def everything(town: Town, *tables: Any) -> list[Any]:
    with town.app.db.connect() as connection:
        return [connection.execute(select(table).order_by(*table.primary_key.columns)).all() for table in tables or (instance, task, timer, act)]


def test_a_renamed_step_needs_a_mapping_and_keeps_claim_draft_and_clock(town: Town) -> None:
    case_id = start_clue(town).case_id
    step = open_task(town, "verify")
    claim_task(town.app, actor=town.actor("officer"), task_id=step["id"], key=key(), at=town.app.clock.now()) if step["assignee_id"] is None else None
    save_draft(town.app, actor=town.actor("officer"), task_id=step["id"], data={"findings": "已看现场"}, form_hash="", rev=0, at=town.app.clock.now())
    deploy(town, RENAMED)
    before = everything(town)
    id = look(town)
    assert everything(town) == before
    [found] = items(town, id)
    assert (found["verdict"], found["detail"]["needs"][0]["key"], found["detail"]["needs"][0]["suggested"]) == ("mapping", STEP, "verify_clue")
    refused = start(town, id)
    assert refused[0]["state"] == "refused" and everything(town) == before
    id = look(town, mapping={STEP: "verify_clue"})
    assert items(town, id)[0]["verdict"] == "fits" and everything(town) == before
    assert start(town, id)[0]["state"] == "done"
    moved = open_task(town, "verify_clue")
    assert (moved["id"], moved["assignee_id"], moved["opened_at"]) == (step["id"], open_task(town, "verify_clue")["assignee_id"], step["opened_at"])
    assert find_draft(town.app, actor=town.actor("officer"), task_id=step["id"])[0] == {"findings": "已看现场"}
    assert find_violations(town.app) == [] and [r.due_at for r in everything(town, timer)[0]] == [r.due_at for r in before[2]]
    do(town, "officer", "verify_clue", "file", data=HANDLING)
    assert open_nodes(town, case_id) == ["draft"] and find_violations(town.app) == []


def test_a_whole_migration_and_one_case_can_be_taken_back(town: Town) -> None:
    cases = [start_clue(town).case_id for _ in range(3)]
    before = everything(town, task, timer)
    deploy(town, RENAMED)
    id = look(town, mapping={STEP: "verify_clue"})
    rows = start(town, id)
    undo_one(town.app, actor=town.actor("keeper"), migration_id=id, instance_id=rows[0]["instance_id"], key=key(), at=town.app.clock.now())
    with pytest.raises(Conflict):
        undo_one(town.app, actor=town.actor("keeper"), migration_id=id, instance_id=rows[0]["instance_id"], key=key(), at=town.app.clock.now())
    worked = next(row for row in rows if row["case_id"] == cases[2])
    step = open_task(town, "verify_clue", worked["case_id"]) if worked is not rows[0] else None
    if step is not None:
        do(town, "officer", "verify_clue", "file", data=HANDLING, case_id=worked["case_id"])
    undo_migration(town.app, actor=town.actor("keeper"), migration_id=id, at=town.app.clock.now())
    town.app.jobs.run_due(town.app)
    states = {row["case_id"]: (row["state"], row["reason"]) for row in items(town, id)}
    assert states[worked["case_id"]][0] == "done" and "已经办了" in states[worked["case_id"]][1]
    assert [state for state, _ in states.values()].count("undone") == 2
    ids = {row.id for row in before[0] if row.case_id != worked["case_id"]}
    assert [row for row in everything(town, task)[0] if row.id in ids] == [row for row in before[0] if row.id in ids]
    assert find_violations(town.app) == []
    do(town, "officer", "verify", "file", data=HANDLING, case_id=rows[0]["case_id"])
    assert find_violations(town.app) == []


def test_a_step_that_is_gone_for_good_is_refused_and_named(town: Town) -> None:
    start_clue(town)
    without = SOURCE[:SOURCE.index("<bpmn:userTask id=\"verify\"")] + SOURCE[SOURCE.index("<bpmn:serviceTask id=\"note_decision\""):]
    without = without.replace('targetRef="verify"', 'targetRef="note_decision"')
    for id in ("verify_to_note_decision", "filing_decided_to_verify", "clue_due_to_warn_handler", "warn_handler_to_warned"):
        without = _without(without, id)
    for start_of, end_of in (('<bpmn:boundaryEvent id="clue_due"', "</bpmn:boundaryEvent>"), ('<bpmn:serviceTask id="warn_handler"', "</bpmn:serviceTask>"),
                             ('<bpmn:endEvent id="warned"', "</bpmn:endEvent>"), ("<bpmndi:BPMNDiagram", "</bpmndi:BPMNDiagram>")):
        first = without.index(start_of)
        without = without[:first] + without[without.index(end_of, first) + len(end_of):]
    deploy(town, without.replace(' default="filing_decided_to_verify"', "").replace('<bpmn:conditionExpression>approved = true</bpmn:conditionExpression>', ""))
    before = everything(town)
    id = look(town)
    [found] = items(town, id)
    assert found["verdict"] == "refused" and "承办人核查处理" in found["reason"] and found["detail"]["obstacles"][0]["element"] == "verify"
    assert start(town, id)[0]["state"] == "refused" and everything(town) == before


def _without(text: str, flow: str) -> str:
    first = text.index(f'<bpmn:sequenceFlow id="{flow}"')
    text = text[:first] + text[text.index(">", first) + 1:]
    return text.replace(f"<bpmn:incoming>{flow}</bpmn:incoming>", "").replace(f"<bpmn:outgoing>{flow}</bpmn:outgoing>", "")


def test_a_changed_due_date_and_a_lost_field_are_told_before_and_done_after(town: Town) -> None:
    start_clue(town)
    step = open_task(town, "verify")
    save_draft(town.app, actor=town.actor("officer"), task_id=step["id"], data={"findings": "已看现场"}, form_hash="", rev=0, at=town.app.clock.now())
    deploy(town, SOURCE.replace('gc:form="clue_handling"', 'gc:form="clue_registration" gc:due="3 working_day"'))
    id = look(town)
    [found] = items(town, id)
    assert found["verdict"] == "fits" and found["detail"]["drafts"][0]["task"] == step["title"] and found["detail"]["drafts"][0]["fields"]
    assert found["detail"]["deadlines"] == [{"what": f"{step['title']}的办理期限", "old": "", "new": "2026-11-25"}]
    start(town, id)
    moved = open_task(town, "verify")
    assert str(moved["due_on"]) == "2026-11-25" and moved["form"] == "case_filing.clue_registration" and moved["id"] == step["id"]
    assert find_violations(town.app) == []


def test_a_case_inside_a_called_process_goes_along_and_stays_in_its_chain(town: Town) -> None:
    start_clue(town)
    do(town, "officer", "verify", "file", data=HANDLING)
    do(town, "officer", "draft", "submit", data=application(town))
    deploy(town, SOURCE.replace('name="记下处理意见和承办人"', 'name="记下意见"'))
    id = look(town)
    assert [row["verdict"] for row in items(town, id)] == ["fits"]
    assert start(town, id)[0]["state"] == "done" and find_violations(town.app) == []
    do(town, "head", "unit_head_review" if _open(town, "unit_head_review") else _only(town))
    assert find_violations(town.app) == []


def _open(town: Town, node: str) -> bool:
    with town.app.db.connect() as connection:
        return bool(connection.scalar(select(func.count()).select_from(task).where(task.c.node == node, task.c.status == "open")))


def _only(town: Town) -> str:
    with town.app.db.connect() as connection:
        return str(connection.scalars(select(task.c.node).where(task.c.status == "open")).one())


def test_a_suspended_case_moves_and_stays_suspended(town: Town) -> None:
    case_id = start_clue(town).case_id
    now = town.app.clock.now()
    suspend_case(town.app, actor=town.actor("keeper"), case_id=case_id, reason="等批复。", key=key(), at=now)
    deploy(town, RENAMED)
    assert start(town, look(town, mapping={STEP: "verify_clue"}))[0]["state"] == "done"
    with town.app.db.connect() as connection:
        assert connection.scalar(select(instance.c.status)) == "suspended" and connection.scalar(select(timer.c.suspended)) is True
    resume_case(town.app, actor=town.actor("keeper"), case_id=case_id, key=key(), at=now)
    do(town, "officer", "verify_clue", "file", data=HANDLING)
    assert find_violations(town.app) == []


def test_a_migration_is_the_analysts_and_can_be_cancelled(town: Town) -> None:
    start_clue(town)
    with pytest.raises(Conflict, match="已经在最新的版本上"):
        look(town)
    deploy(town, RENAMED)
    with pytest.raises(Forbidden):
        begin_migration(town.app, actor=town.actor("officer"), process=root(town), at=town.app.clock.now())
    id = look(town)
    look_again(town.app, actor=town.actor("keeper"), migration_id=id, mapping={STEP: "verify_clue"}, at=town.app.clock.now())
    with pytest.raises(Conflict):
        start_migration(town.app, actor=town.actor("keeper"), migration_id=id, at=town.app.clock.now())
    town.app.jobs.run_due(town.app)
    assert items(town, id)[0]["verdict"] == "fits"
    before = everything(town)
    start_migration(town.app, actor=town.actor("keeper"), migration_id=id, at=town.app.clock.now())
    cancel_migration(town.app, actor=town.actor("keeper"), migration_id=id, at=town.app.clock.now())
    town.app.jobs.run_due(town.app)
    assert items(town, id)[0]["state"] == "kept" and everything(town) == before
    with town.app.db.connect() as connection:
        assert connection.scalar(select(migration.c.status).where(migration.c.id == id)) == "cancelled"


def test_a_moved_and_then_ended_case_is_replayed_from_its_bundle(town: Town, tmp_path: Path) -> None:
    case_id = start_clue(town).case_id
    deploy(town, RENAMED)
    id = look(town, mapping={STEP: "verify_clue"})
    start(town, id)
    moved = checked(export(town, case_id), tmp_path)
    assert moved.problem is None and moved.replayed[0].resumed == 1
    undo_migration(town.app, actor=town.actor("keeper"), migration_id=id, at=town.app.clock.now())
    town.app.jobs.run_due(town.app)
    with town.app.db.connect() as connection:
        running = connection.scalar(select(instance.c.id).where(instance.c.ended_at.is_(None)))
    terminate_instance(town.app, actor=town.actor("keeper"), instance_id=running, reason="撤案。", key=key(), at=town.app.clock.now())
    assert checked(export(town, case_id), tmp_path).problem is None and find_violations(town.app) == []
