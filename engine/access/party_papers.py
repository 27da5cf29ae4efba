"""What was sent to parties from outside the offices, and the one-time codes on paper that bind an account to a party."""
from __future__ import annotations

import secrets
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, update
from sqlalchemy.dialects.postgresql import insert

from engine.kernel.gm import KeyRing
from engine.kernel.ids import new_id
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


def make_code(connection: Connection, keys: KeyRing, *, party_id: UUID, case_id: UUID, at: datetime, until: datetime) -> str:
    """A one-time code such as ``7Q4K-2M9X-D3PA``, 58 bits; only its index is kept. It binds one account to the party, until ``until``."""
    raw = "".join(secrets.choice(ALPHABET) for _ in range(12))
    code = f"{raw[:4]}-{raw[4:8]}-{raw[8:]}"
    connection.execute(insert(party_code).values(
        id=new_id(), code_index=code_index(keys, code), party_id=party_id, case_id=case_id, made_at=at, expires_at=until,
    ))
    return code


def code_index(keys: KeyRing, code: str) -> bytes:
    """The blind index of a code as somebody typed it."""
    return keys.index(b"party.code:" + normal_code(code).encode())


def normal_code(code: str) -> str:
    """Upper case, without blanks and hyphens."""
    return "".join(letter for letter in code.upper() if letter.isalnum())
