"""What was sent to parties from outside the offices, and the one-time codes on paper that bind an account to a party."""
from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, select, update
from sqlalchemy.dialects.postgresql import insert

from engine.access.bearer import secret_hash
from engine.kernel.ids import new_id
from engine.storage.tables.cases import case_file
from engine.storage.tables.documents import document
from engine.storage.tables.organisation import unit
from engine.storage.tables.parties import party_code, party_paper

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # without 0/O, 1/I/L, U


def send_paper(connection: Connection, *, party_id: UUID, document_id: UUID, case_id: UUID, instance_id: UUID | None, at: datetime) -> None:
    """Put a document on the party's page, to be signed; once more when it lapsed before."""
    _put(connection, state="sent", ended_at=None, party_id=party_id, document_id=document_id, case_id=case_id, instance_id=instance_id, at=at)


def serve_paper(connection: Connection, *, party_id: UUID, document_id: UUID, case_id: UUID, instance_id: UUID | None, at: datetime) -> None:
    """The document is served on the party, whatever the way: it may read it on its page from now on."""
    _put(connection, state="served", ended_at=at, party_id=party_id, document_id=document_id, case_id=case_id, instance_id=instance_id, at=at)


def _put(
    connection: Connection, *, state: str, ended_at: datetime | None, party_id: UUID, document_id: UUID, case_id: UUID, instance_id: UUID | None, at: datetime,
) -> None:
    made = insert(party_paper).values(
        id=new_id(), party_id=party_id, document_id=document_id, case_id=case_id, instance_id=instance_id, sent_at=at, state=state, ended_at=ended_at,
    )
    connection.execute(made.on_conflict_do_update(index_elements=["party_id", "document_id"], set_={"state": state, "ended_at": ended_at}))


def end_paper(connection: Connection, *, party_id: UUID, document_id: UUID, state: str, at: datetime) -> None:
    """Take the document off the party's page (``lapsed``)."""
    here = (party_paper.c.party_id == party_id) & (party_paper.c.document_id == document_id)
    connection.execute(update(party_paper).where(here, party_paper.c.state == "sent").values(state=state, ended_at=at))


def make_code(connection: Connection, *, party_id: UUID, case_id: UUID, at: datetime, until: datetime) -> str:
    """A one-time code such as ``7Q4K-2M9X-D3PA``, 58 bits; only its hash is kept. It binds one account to the party, until ``until``."""
    raw = "".join(secrets.choice(ALPHABET) for _ in range(12))
    code = f"{raw[:4]}-{raw[4:8]}-{raw[8:]}"
    connection.execute(insert(party_code).values(
        id=new_id(), code_index=code_hash(code), party_id=party_id, case_id=case_id, made_at=at, expires_at=until,
    ))
    return code


def code_hash(code: str) -> bytes:
    """What is kept of a code, however somebody typed it."""
    return secret_hash("party.code:" + normal_code(code))


def normal_code(code: str) -> str:
    """Upper case, without blanks and hyphens."""
    return "".join(letter for letter in code.upper() if letter.isalnum())


def read_paper(connection: Connection, *, paper_id: UUID, at: datetime) -> bool:
    """Note when the party opened it first; True the first time."""
    first = update(party_paper).where(party_paper.c.id == paper_id, party_paper.c.read_at.is_(None)).values(read_at=at)
    return bool(connection.execute(first).rowcount)


def papers_of(connection: Connection, *, party_ids: Collection[UUID], limit: int = 50) -> list[Row[Any]]:
    """What was sent to or served on these parties, the newest first: id, party_id, state, sent_at, read_at, title, number, document."""
    p, d = party_paper.c, document.c
    columns = (p.id, p.party_id, p.state, p.sent_at, p.read_at, p.document_id, d.title, d.number, d.data["unit"]["name"].astext.label("unit"))
    shown = select(*columns).join(document, d.id == p.document_id).where(p.party_id.in_(party_ids), p.state != "lapsed")
    return list(connection.execute(shown.order_by(p.sent_at.desc(), p.id.desc()).limit(limit)))


def paper_of(connection: Connection, *, party_ids: Collection[UUID], paper_id: UUID) -> Row[Any] | None:
    """One of them with its case's chain of audit; None when it is not theirs or was taken back."""
    p = party_paper.c
    wanted = select(party_paper, unit.c.path, case_file.c.district_id).join(case_file, case_file.c.id == p.case_id).join(unit, unit.c.id == case_file.c.unit_id)
    return connection.execute(wanted.where(p.id == paper_id, p.party_id.in_(party_ids), p.state != "lapsed")).one_or_none()
