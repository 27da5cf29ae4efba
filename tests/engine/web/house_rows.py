"""One record of every kind that an address can name, each somebody's own or of one case, for the crawler to ask for."""
from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert, select

from engine.kernel.ids import new_id
from engine.storage.tables.clocks import calendar_change
from engine.storage.tables.organisation import account, post, session
from engine.storage.tables.proof import destruction, grave_act, integrity_alarm, retention_rule
from engine.storage.tables.registers import register_transfer, register_view
from engine.storage.tables.runtime import deputy, instance
from engine.storage.tables.sign_in import sign_in_certificate
from engine.storage.tables.statistics import report_issue
from engine.storage.tables.versions import migration
from engine.storage.tables.waiting import fanout
from tests.town import Town


def own(connection: Connection, town: Town, at: Any) -> dict[str, Any]:
    """What is the officer's own: a deputy, a kept view, a file that was brought, a certificate to sign in with, an open session."""
    made: dict[str, Any] = {name: new_id() for name in ("appointment_id", "view_id", "transfer_id", "certificate_id")}
    me, on = town.people["officer"], at.date()
    who = connection.execute(select(account.c.id, post.c.id).join(post, post.c.person_id == account.c.person_id).where(account.c.login == "officer")).one()
    connection.execute(insert(deputy).values(id=made["appointment_id"], person_id=me, deputy_id=town.people["officer_two"], from_on=on, until_on=on, reason="出差", created_at=at))
    connection.execute(insert(register_view).values(id=made["view_id"], person_id=me, register="case_filing.clue", title="我的", query="q=x", at=at))
    connection.execute(insert(register_transfer).values(
        id=made["transfer_id"], register="case_filing.clue", kind="export", person_id=me, account_id=who[0], post_id=who[1], unit_id=town.units["station_one"], person_name="顾明川", state="done",
        result_sm3=town.app.blobs.put(b"a list"), file_name="线索.xlsx", at=at, updated_at=at,
    ))
    connection.execute(insert(sign_in_certificate).values(
        id=made["certificate_id"], account_id=who[0], print=b"p" * 32, der=b"d", name="顾明川", issuer="x", serial="1", valid_until=at + timedelta(days=9), at=at, by_name="顾明川",
    ))
    token = b"t" * 32
    connection.execute(insert(session).values(token_hash=token, account_id=who[0], post_id=who[1], csrf="x", created_at=at, seen_at=at, expires_at=at + timedelta(hours=9)))
    return {**made, "token_hash": token.hex()}


def of_case(connection: Connection, town: Town, case_id: UUID, at: Any) -> dict[str, Any]:
    """What hangs on the case or is an administrator's: a fan-out, a move to a newer version, a calendar, a destruction, a report, an alarm."""
    made: dict[str, Any] = {name: new_id() for name in ("fanout_id", "migration_id", "change_id", "destruction_id", "issue_id", "alarm_id", "grave_id")}
    row = connection.execute(select(instance).where(instance.c.case_id == case_id)).mappings().first()
    assert row is not None
    head, rule = town.people["head"], new_id()
    connection.execute(insert(fanout).values(
        id=made["fanout_id"], instance_id=row["id"], case_id=case_id, engine_id="none", node="verify", process=row["process"], body="x", title="分办", facts={}, total=0, remaining=0, status="ended", created_at=at,
    ))
    connection.execute(insert(migration).values(id=made["migration_id"], process=row["process"], bundle_id=row["bundle_id"], status="checked", by_id=head, by_name="周启衡", created_at=at))
    connection.execute(insert(calendar_change).values(id=made["change_id"], region="CN-SH", title="调休", state="draft", by_id=head, by_name="周启衡", at=at, updated_at=at))
    connection.execute(insert(retention_rule).values(id=rule, subject="*", years=10, law="x", valid_from=at.date()))
    connection.execute(insert(destruction).values(
        id=made["destruction_id"], case_id=case_id, title="销毁", due_on=at.date(), rule_id=rule, state="proposed", proposed_by=head, proposed_name="周启衡", proposed_at=at,
    ))
    connection.execute(insert(report_issue).values(
        id=made["issue_id"], report="case_filing.clue_monthly", title="月报", period="2026-10", state="draft", body="x", figures={"figures": [], "parts": []}, taken_at=at, template_version=1, by_name="周启衡", unit_id=town.units["station_one"], at=at,
    ))
    connection.execute(insert(integrity_alarm).values(id=made["alarm_id"], kind="audit", subject="x", text="x", level="low", at=at))
    who = connection.execute(select(account.c.id, post.c.id).join(post, post.c.person_id == account.c.person_id).where(account.c.login == "head")).one()
    connection.execute(insert(grave_act).values(
        id=made["grave_id"], kind="key_round", title="换密钥", detail={"kind": "data"}, reason="按年", state="asked", asked_by=head, asked_name="周启衡", account_id=who[0], post_id=who[1], asked_at=at,
    ))
    return made
