"""Steps of a sign-in that may be taken once: a challenge, a second factor that is still owed, a way to another house and back.

The asker holds a random token, the table its hash. Taking a step deletes it, so a replay finds nothing.
"""
from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, update

from engine.access.bearer import new_secret, secret_hash
from engine.storage.tables.sign_in import sign_in_step

MOST_TRIES = 5


def new_step(connection: Connection, *, kind: str, detail: Mapping[str, Any], at: datetime, lives: timedelta = timedelta(minutes=5)) -> str:
    """The token of a new step of ``kind`` that lives for ``lives``."""
    token = new_secret()
    connection.execute(insert(sign_in_step).values(token_hash=secret_hash(token), kind=kind, detail=dict(detail), expires_at=at + lives))
    return token


def take_step(connection: Connection, *, kind: str, token: str, at: datetime) -> dict[str, Any] | None:
    """What the step says, and the step is gone; None when unknown, taken, expired or of another kind."""
    t = sign_in_step.c
    found = connection.execute(delete(sign_in_step).where(t.token_hash == secret_hash(token), t.kind == kind, t.expires_at > at).returning(t.detail)).scalar_one_or_none()
    return None if found is None else dict(found)


def try_step(connection: Connection, *, kind: str, token: str, at: datetime) -> dict[str, Any] | None:
    """What the step says, counted as one more try and kept; None after five tries, and where ``take_step`` finds nothing."""
    t = sign_in_step.c
    found = connection.execute(
        update(sign_in_step).where(t.token_hash == secret_hash(token), t.kind == kind, t.expires_at > at, t.tries < MOST_TRIES)
        .values(tries=t.tries + 1).returning(t.detail)
    ).scalar_one_or_none()
    return None if found is None else dict(found)


def sweep_steps(connection: Connection, *, at: datetime) -> int:
    """Delete expired steps; how many."""
    return connection.execute(delete(sign_in_step).where(sign_in_step.c.expires_at <= at)).rowcount
