"""Matters beside the case move its clock; timers and messages fire once; failures become incidents."""
from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from engine.kernel.errors import Conflict, Invalid
from engine.runtime.deliver_message import deliver_message
from engine.runtime.fire_due_timers import fire_due_timers
from engine.runtime.incidents import retry_incident, skip_incident
from engine.runtime.start_case import start_matter, startable_matters
from engine.storage.tables.cases import case_clock, case_file
from engine.storage.tables.organisation import notice
from engine.storage.tables.runtime import effect, incident, instance, task, timer
from tests.engine.runtime.walk import HANDLING, application, case_of, do, key, open_nodes, open_task, start_clue
from tests.town import Town

NOTICE = {"source": "complaint", "source_system": "投诉举报平台", "external_id": "TS-2026-001", "unit_code": "station_one", "received_on": "2026-11-20",
          "title": "举报销售过期食品", "content": "举报人称货架上有过期食品。"}


def row_of(town: Town, table: Any, *where: Any) -> Any:
    with town.app.db.connect() as connection:
        return connection.execute(select(table).where(*where)).mappings().first()


def count(town: Town, table: Any, *where: Any) -> int:
    with town.app.db.connect() as connection:
        return int(connection.scalar(select(func.count()).select_from(table).where(*where)) or 0)


def matter(town: Town, case_id: Any, process: str, data: dict[str, Any]) -> Any:
    return start_matter(
        town.app, actor=town.actor("officer"), case_id=case_id, process=f"case_filing.{process}", data=data, outcome="submit", key=key(), at=town.app.clock.now(),
    )


def approve_short(town: Town) -> None:
    do(town, "head", "office_review")
    do(town, "section_head", "section_head_review")
    do(town, "chief", "agency_approval")
    town.app.jobs.run_due(town.app)


def test_an_extension_moves_the_clock_and_its_timer(town: Town) -> None:
    started = start_clue(town)
    before = row_of(town, case_clock)
    assert str(before["due_on"]) == "2026-12-10"
    assert "case_filing.clue_extension" in [m.process for m in startable_matters(town.app, actor=town.actor("officer"), case=case_of(town, started.case_id), at=town.app.clock.now())]
    matter(town, started.case_id, "clue_extension", {"reason": "当事人下落待查，需进一步核查。", "extension_days": 15})
    approve_short(town)
    after = row_of(town, case_clock)
    assert str(after["due_on"]) == "2026-12-31"
    assert row_of(town, timer, timer.c.clock == "case_filing.clue_handling")["due_at"].date().isoformat() == "2026-12-31"


def test_suspension_stands_still_and_resumption_goes_on(town: Town, clock: Any) -> None:
    started = start_clue(town)
    matter(town, started.case_id, "clue_suspend", {"suspension_ground": "testing", "reason": "委托检验。"})
    approve_short(town)
    assert row_of(town, case_clock)["state"] == "suspended"
    assert case_of(town, started.case_id)["state"] == "suspended"
    assert fire_due_timers(town.app, clock.now() + timedelta(days=60)) == 0
    clock.advance(timedelta(days=10))
    matter(town, started.case_id, "clue_resume", {"reason": "检验报告已收到。", "ended_on": clock.today().isoformat()})
    approve_short(town)
    assert row_of(town, case_clock)["state"] == "running"
    assert case_of(town, started.case_id)["state"] == "registered"


def test_one_matter_of_a_kind_at_a_time(town: Town) -> None:
    started = start_clue(town)
    matter(town, started.case_id, "clue_extension", {"reason": "需进一步核查。", "extension_days": 15})
    with pytest.raises(Conflict, match="已有一件"):
        matter(town, started.case_id, "clue_extension", {"reason": "再延。", "extension_days": 15})


def test_a_due_timer_fires_once_and_tells_the_officer(town: Town, clock: Any) -> None:
    started = start_clue(town)
    assert fire_due_timers(town.app, clock.now()) == 0
    clock.advance(timedelta(days=40))
    assert fire_due_timers(town.app, clock.now()) == 1
    assert fire_due_timers(town.app, clock.now()) == 0
    assert open_nodes(town, started.case_id) == ["verify"]
    assert count(town, notice, notice.c.text.contains("期限已届满")) == 1


def test_an_inbound_clue_opens_one_case_however_often_it_is_sent(town: Town) -> None:
    first = deliver_message(town.app, name="clue_received", payload=NOTICE, key="complaints:TS-2026-001", at=town.app.clock.now())
    again = deliver_message(town.app, name="clue_received", payload=NOTICE, key="complaints:TS-2026-001", at=town.app.clock.now())
    town.app.jobs.run_due(town.app)

    assert first.instance_id == again.instance_id
    assert count(town, case_file) == 1
    assert open_task(town, "confirm_clue")["status"] == "open"
    do(town, "officer", "confirm_clue", "accept", data={})
    assert open_nodes(town, open_task(town, "register_clue")["case_id"]) == ["register_clue"]


def test_a_bad_inbound_clue_is_refused_field_by_field(town: Town) -> None:
    with pytest.raises(Invalid) as refused:
        deliver_message(town.app, name="clue_received", payload={**NOTICE, "source": "gossip", "title": ""}, key="x", at=town.app.clock.now())
    assert set(refused.value.fields) == {"source", "title"}
    with pytest.raises(Invalid, match="单位"):
        deliver_message(town.app, name="clue_received", payload={**NOTICE, "unit_code": "nowhere"}, key="y", at=town.app.clock.now())
    assert count(town, case_file) == 0


def test_a_failing_service_becomes_an_incident_that_is_skipped_with_a_reason(town: Town) -> None:
    deliver_message(town.app, name="clue_received", payload=NOTICE, key="k", at=town.app.clock.now())
    town.app.jobs.run_due(town.app)
    do(town, "officer", "confirm_clue", "reject", data={"reject_reason": "不属于本部门职责。"}, opinion="不属于本部门职责。")
    _exhaust(town)

    broken = row_of(town, incident)
    assert broken["status"] == "open" and "仍未成功" in broken["message"]
    keeper, at = town.actor("keeper"), town.app.clock.now()
    with pytest.raises(Invalid, match="理由"):
        skip_incident(town.app, actor=keeper, incident_id=broken["id"], reason=" ", key=key(), at=at)
    skip_incident(town.app, actor=keeper, incident_id=broken["id"], reason="已电话告知来源单位。", key=key(), at=at)
    assert row_of(town, incident)["status"] == "skipped"
    assert row_of(town, effect)["status"] == "skipped"
    assert row_of(town, instance)["status"] == "completed"


def _exhaust(town: Town) -> None:
    """Let the queue try until it gives up: the source system doesn't answer here."""
    for _ in range(8):
        town.app.clock.advance(timedelta(hours=2))
        try:
            town.app.jobs.run_due(town.app, at=town.app.clock.now())
        except Exception:
            return


def test_nobody_in_the_role_is_an_incident_and_retry_finds_the_newcomer(town: Town) -> None:
    from engine.access.staffing import give_post

    with town.app.db.begin() as connection:
        from engine.storage.tables.organisation import post

        connection.execute(post.update().where(post.c.code == "unit_head").values(valid_until="2026-01-01"))
    start_clue(town)
    do(town, "officer", "verify", "file", data=HANDLING)
    do(town, "officer", "draft", "submit", data=application(town))
    lost = row_of(town, incident)
    assert lost["kind"] == "assignment" and "找不到可以办理的人" in lost["message"]
    with pytest.raises(Conflict, match="仍然没有人"):
        retry_incident(town.app, actor=town.actor("keeper"), incident_id=lost["id"], key=key(), at=town.app.clock.now())
    with town.app.db.begin() as connection:
        give_post(connection, person_id=town.people["officer_two"], unit_id=town.units["station_one"], code="unit_head", title="办案机构负责人",
                  valid_from=town.app.clock.today())
    retry_incident(town.app, actor=town.actor("keeper"), incident_id=lost["id"], key=key(), at=town.app.clock.now())
    do(town, "officer_two", "office_review")
    assert count(town, task, task.c.node == "section_review") == 1
