"""Server-side sessions with a sliding idle limit. The cookie holds a random token, the table its hash."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Date, Row, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from engine.access.actors import Actor, actor_of, actor_query
from engine.access.bearer import new_secret, secret_hash
from engine.kernel.clock import legal_date
from engine.kernel.errors import Forbidden, NotFound
from engine.storage.tables.organisation import account, post, session, unit

IDLE = timedelta(hours=2)
LONGEST = timedelta(hours=16)
TOUCH_AFTER = timedelta(minutes=1)

RESOLVE = (
    actor_query(bindparam("on", type_=Date))
    .add_columns(session.c.csrf, session.c.seen_at)
    .join(session, (session.c.account_id == account.c.id) & (session.c.post_id == post.c.id))
    .where(session.c.token_hash == bindparam("hashed", type_=session.c.token_hash.type), session.c.expires_at > bindparam("at", type_=session.c.expires_at.type))
)


@dataclass(frozen=True, kw_only=True)
class OpenSession:
    """A session just opened: ``token`` goes into the cookie and is never shown again, ``csrf`` into forms."""

    token: str
    csrf: str


@dataclass(frozen=True, kw_only=True)
class ResolvedSession:
    """Who sends a request. ``stale`` asks the caller for ``touch_session`` (at most once a minute)."""

    actor: Actor
    csrf: str
    token_hash: bytes
    stale: bool


def open_session(connection: Connection, *, account_id: UUID, post_id: UUID | None, agent: str, at: datetime) -> OpenSession:
    """Open a session in ``post_id`` (None: the main post in force); raises Forbidden when the account holds no post."""
    wanted = post.c.id == post_id if post_id is not None else post.c.person_id == account.c.person_id
    on = legal_date(at)
    found = connection.execute(
        actor_query(on)
        .with_only_columns(post.c.id)
        .where(account.c.id == account_id, wanted)
        .order_by(post.c.main.desc(), post.c.id)
        .limit(1)
    ).scalar_one_or_none()
    if found is None:
        raise Forbidden("您的账号没有在用的岗位，请联系本单位管理员。", code="post_ended")
    opened = OpenSession(token=new_secret(), csrf=new_secret())
    connection.execute(
        insert(session).values(
            token_hash=secret_hash(opened.token),
            account_id=account_id,
            post_id=found,
            csrf=opened.csrf,
            agent=agent[:300],
            created_at=at,
            seen_at=at,
            expires_at=at + IDLE,
        )
    )
    return opened


def resolve_session(connection: Connection, *, token: str, at: datetime) -> ResolvedSession | None:
    """Session, person, post and rights behind a cookie in one statement; None when ended, expired or its post is over."""
    hashed = secret_hash(token)
    on = legal_date(at)
    row = connection.execute(RESOLVE, {"on": on, "hashed": hashed, "at": at}).one_or_none()
    if row is None:
        return None
    return ResolvedSession(actor=actor_of(row, on), csrf=row.csrf, token_hash=hashed, stale=at - row.seen_at >= TOUCH_AFTER)


def touch_session(connection: Connection, *, token_hash: bytes, at: datetime) -> None:
    """Move the idle limit on, never beyond sixteen hours after signing in."""
    connection.execute(
        update(session)
        .where(session.c.token_hash == token_hash)
        .values(seen_at=at, expires_at=func.least(session.c.created_at + LONGEST, at + IDLE))
    )


def switch_post(connection: Connection, *, token_hash: bytes, post_id: UUID, at: datetime) -> None:
    """Go on in another post of the same person; raises NotFound when it is not theirs today."""
    on = legal_date(at)
    theirs = (
        actor_query(on)
        .with_only_columns(post.c.id)
        .where(account.c.id == session.c.account_id, post.c.id == post_id)
        .correlate(session)
        .exists()
    )
    changed = connection.execute(update(session).where(session.c.token_hash == token_hash, theirs).values(post_id=post_id)).rowcount
    if not changed:
        raise NotFound("您没有这个岗位，或它已经结束。")


def close_session(connection: Connection, *, token: str) -> None:
    """Sign out: the cookie is worth nothing afterwards."""
    connection.execute(delete(session).where(session.c.token_hash == secret_hash(token)))


def close_other_sessions(connection: Connection, *, account_id: UUID, keep: bytes | None = None) -> int:
    """End all sessions of an account but ``keep`` (a token hash); how many were ended."""
    statement = delete(session).where(session.c.account_id == account_id)
    return connection.execute(statement if keep is None else statement.where(session.c.token_hash != keep)).rowcount


def close_listed_session(connection: Connection, *, account_id: UUID, token_hash: bytes) -> None:
    """End one session of one's own list; raises NotFound when it is not there."""
    if not connection.execute(delete(session).where(session.c.account_id == account_id, session.c.token_hash == token_hash)).rowcount:
        raise NotFound("这个会话已经结束。")


def sessions_of(connection: Connection, *, account_id: UUID, at: datetime) -> list[Row[Any]]:
    """Open sessions, the latest first: token_hash, agent, created_at, seen_at, expires_at, post_title, unit_name."""
    return list(
        connection.execute(
            select(
                session.c.token_hash,
                session.c.agent,
                session.c.created_at,
                session.c.seen_at,
                session.c.expires_at,
                post.c.title.label("post_title"),
                unit.c.short_name.label("unit_name"),
            )
            .select_from(session.join(post, post.c.id == session.c.post_id).join(unit, unit.c.id == post.c.unit_id))
            .where(session.c.account_id == account_id, session.c.expires_at > at)
            .order_by(session.c.seen_at.desc())
        )
    )


def sweep_sessions(connection: Connection, *, at: datetime) -> int:
    """Delete expired sessions; how many."""
    return connection.execute(delete(session).where(session.c.expires_at <= at)).rowcount
