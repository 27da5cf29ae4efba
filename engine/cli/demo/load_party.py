"""A party of the demo city with an account, and a paper that waits for its signature. What is there already is left alone."""
from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from engine.access import party_accounts
from engine.access.actors import Actor, find_actor_by_login
from engine.access.party_accounts import NewAccount
from engine.access.passwords import hash_password
from engine.cli.demo.plan import PASSWORD, parties, read
from engine.documents.pages import empty_page
from engine.form_filling.attachments import store_attachment
from engine.kernel.clock import legal_date
from engine.runtime.application import Application
from engine.runtime.complete_task import complete_task
from engine.runtime.locate import find_act
from engine.runtime.start_case import start_matter
from engine.storage.tables.cases import case_file, case_party, party
from engine.storage.tables.documents import document
from engine.storage.tables.parties import party_account
from engine.storage.tables.runtime import task

KEY = "demo:party"


def load_party(app: Application, *, at: datetime) -> bool:
    """Open the account and send the paper; False when no case of the officer's has this party."""
    plan = read("party")
    known = parties()[plan["party"]]
    with app.db.begin() as connection:
        party_id = connection.scalar(select(party.c.id).where(party.c.name == known["name"]))
        officer = find_actor_by_login(connection, login=plan["officer"], on=legal_date(at))
        case_id = _case(connection, plan, party_id, officer)
        if party_id is None or officer is None or case_id is None:
            return False
        _account(app, connection, plan, party_id, at)
        if find_act(connection, f"{KEY}:serve") is not None:
            return True
        signed = store_attachment(
            connection, app.blobs, actor=officer, case_id=case_id, task_id=None, field="signed", file_name="送达地址确认书.pdf", data=empty_page(), at=at,
        )
    _serve(app, plan, officer, case_id, party_id, signed.id, at)
    return True


def _serve(app: Application, plan: Mapping[str, Any], officer: Actor, case_id: UUID, party_id: UUID, signed: str, at: datetime) -> None:
    confirm, serve = plan["confirm"], plan["serve"]
    start_matter(app, actor=officer, case_id=case_id, process=confirm["process"], data={"party": str(party_id)}, outcome="submit", key=f"{KEY}:choose", at=at)
    answers = {**plan["form"], "confirmed_on": legal_date(at).isoformat(), "signed": [{"id": signed}]}
    with app.db.connect() as connection:
        task_id = connection.scalar(select(task.c.id).where(task.c.case_id == case_id, task.c.node == confirm["node"], task.c.status == "open"))
    assert task_id is not None
    complete_task(app, actor=officer, task_id=task_id, data=answers, outcome="submit", key=f"{KEY}:confirm", at=at)
    with app.db.connect() as connection:
        paper = connection.scalar(select(document.c.id).where(document.c.case_id == case_id, document.c.template == confirm["document"]))
    data = {"documents": [str(paper)], "parties": [str(party_id)], "route": serve["route"]}
    start_matter(app, actor=officer, case_id=case_id, process=serve["process"], data=data, outcome="submit", key=f"{KEY}:serve", at=at)


def _case(connection: Connection, plan: Mapping[str, Any], party_id: UUID | None, officer: Actor | None) -> UUID | None:
    """The officer's oldest open case of the kind with this party."""
    if officer is None:
        return None
    wanted = select(case_file.c.id).join(case_party, case_party.c.case_id == case_file.c.id).where(
        case_party.c.party_id == party_id, case_file.c.kind == plan["kind"], case_file.c.handler_id == officer.person_id, case_file.c.closed_at.is_(None))
    found: UUID | None = connection.scalar(wanted.order_by(case_file.c.created_at).limit(1))
    return found


def _account(app: Application, connection: Connection, plan: Mapping[str, Any], party_id: UUID, at: datetime) -> None:
    if connection.scalar(select(party_account.c.id).limit(1)) is not None:
        return
    new = NewAccount(**plan["account"], password_hash=hash_password(PASSWORD))
    account_id = party_accounts.sign_up(connection, app.keys, new=new, checked_by="演示城市", check_number="demo", at=at)
    party_accounts.bind(connection, account_id=account_id, party_id=party_id, how="representative", at=at)


def party_login() -> tuple[str, str, str]:
    """(number to sign in with, name, name of the party)."""
    plan = read("party")
    return plan["account"]["identifier"], plan["account"]["name"], parties()[plan["party"]]["name"]
