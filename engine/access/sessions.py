"""Server-side sessions with a sliding idle limit. The cookie holds a random token, the table its hash.

A session belongs to the kind of browser that opened it, and by policy to its address: a cookie that turns up elsewhere ends
the session. Its token changes when a person goes on in another post.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Date, Row, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from engine.access.actors import Actor, actor_of, actor_query
from engine.access.bearer import new_secret, secret_hash
from engine.access.sign_in_policy import Policy
from engine.kernel.clock import legal_date
from engine.kernel.errors import Conflict, Forbidden, NotFound
from engine.storage.prepared import Direct, Prepared
from engine.storage.tables.organisation import account, person, post, session, unit

DEFAULT = Policy()
IDLE, LONGEST = DEFAULT.idle, DEFAULT.longest
TOUCH_AFTER = timedelta(minutes=1)

RESOLVE = Prepared(
    actor_query(bindparam("on", type_=Date))
    .add_columns(session.c.csrf, session.c.seen_at, session.c.agent, session.c.network, session.c.needs, session.c.confirmed_at)
    .join(session, (session.c.account_id == account.c.id) & (session.c.post_id == post.c.id))
    .where(session.c.token_hash == bindparam("hashed", type_=session.c.token_hash.type), session.c.expires_at > bindparam("at", type_=session.c.expires_at.type))
)

_MAIN = (
    actor_query(bindparam("on", type_=Date)).with_only_columns(post.c.id)
    .where(account.c.id == bindparam("account", type_=account.c.id.type)).order_by(post.c.main.desc(), post.c.id).limit(1)
)
_THIS = _MAIN.where(post.c.id == bindparam("post", type_=post.c.id.type))


@dataclass(frozen=True, kw_only=True)
class OpenSession:
    """A session just opened: ``token`` goes into the cookie and is never shown again, ``csrf`` into forms.

    ``ended`` is how many earlier sessions of the account had to go.
    """

    token: str
    csrf: str
    ended: int = 0


@dataclass(frozen=True, kw_only=True)
class ResolvedSession:
    """Who sends a request. ``stale`` asks the caller for ``touch_session`` (at most once a minute)."""

    actor: Actor
    csrf: str
    token_hash: bytes
    stale: bool
    agent: str = ""
    network: str = ""
    needs: str = ""
    confirmed_at: datetime | None = None

    def belongs_to(self, *, agent: str) -> bool:
        """Does a request of this browser carry its own cookie? A session that was opened by no sign-in page belongs to any."""
        return not self.network or browser_kind(self.agent) == browser_kind(agent)


def browser_kind(agent: str) -> str:
    """A User-Agent without its versions: an update doesn't sign anybody out, another browser or machine does."""
    return re.sub(r"[\d._]+", "", agent[:300])


def open_session(
    connection: Connection, *, account_id: UUID, post_id: UUID | None, agent: str, at: datetime, network: str = "", way: str = "password", needs: str = "",
    policy: Policy | None = None,
) -> OpenSession:
    """Open a session in ``post_id`` (None: the main post in force); raises Forbidden when the account holds no post.

    With a ``policy``, its limits hold: the oldest sessions end when there are too many, or Conflict is raised.
    """
    statement, values = (_MAIN, {}) if post_id is None else (_THIS, {"post": post_id})
    found = connection.execute(statement, {"on": legal_date(at), "account": account_id, **values}).scalar_one_or_none()
    if found is None:
        raise Forbidden("您的账号没有在用的岗位，请联系本单位管理员。", code="post_ended")
    limits = policy or DEFAULT
    opened = OpenSession(token=new_secret(), csrf=new_secret(), ended=_make_room(connection, account_id, policy, at) if policy else 0)
    connection.execute(
        insert(session).values(
            token_hash=secret_hash(opened.token),
            account_id=account_id,
            post_id=found,
            csrf=opened.csrf,
            agent=agent[:300],
            created_at=at,
            seen_at=at,
            expires_at=at + limits.idle,
            network=network[:64],
            way=way,
            needs=needs,
            confirmed_at=at,
            idle_minutes=limits.idle_minutes,
            longest_minutes=limits.longest_minutes,
        )
    )
    return opened


def _make_room(connection: Connection, account_id: UUID, policy: Policy, at: datetime) -> int:
    if not policy.most_sessions:
        return 0
    connection.execute(select(account.c.id).where(account.c.id == account_id).with_for_update())
    open_now = (
        select(session.c.token_hash).where(session.c.account_id == account_id, session.c.expires_at > at).order_by(session.c.seen_at.desc(), session.c.created_at.desc())
    )
    too_many = connection.scalars(open_now.offset(policy.most_sessions - 1)).all()
    if too_many and policy.when_full == "refuse":
        raise Conflict(f"您的账号已在 {policy.most_sessions} 处登录，请先在那里退出，或请管理员结束其中一处。", code="too_many_sessions")
    if too_many:
        connection.execute(delete(session).where(session.c.token_hash.in_(too_many)))
    return len(too_many)


def resolve_session(connection: Connection | Direct, *, token: str, at: datetime) -> ResolvedSession | None:
    """Session, person, post and rights behind a cookie in one statement; None when ended, expired or its post is over."""
    hashed = secret_hash(token)
    on = legal_date(at)
    row = RESOLVE.mapping(connection, {"on": on, "hashed": hashed, "at": at})
    if row is None:
        return None
    return ResolvedSession(
        actor=actor_of(row, on), csrf=row["csrf"], token_hash=hashed, stale=at - row["seen_at"] >= TOUCH_AFTER,
        agent=row["agent"], network=row["network"], needs=row["needs"], confirmed_at=row["confirmed_at"],
    )


def touch_session(connection: Connection, *, token_hash: bytes, at: datetime) -> None:
    """Move the idle limit on, never beyond the longest time after signing in."""
    idle, longest = (func.make_interval(0, 0, 0, 0, 0, column) for column in (session.c.idle_minutes, session.c.longest_minutes))
    connection.execute(
        update(session)
        .where(session.c.token_hash == token_hash)
        .values(seen_at=at, expires_at=func.least(session.c.created_at + longest, bindparam("moment", at, type_=session.c.seen_at.type) + idle))
    )


def switch_post(connection: Connection, *, token_hash: bytes, post_id: UUID, at: datetime) -> str:
    """Go on in another post of the same person under a new token, which is returned; raises NotFound when it is not theirs today."""
    on, token = legal_date(at), new_secret()
    theirs = (
        actor_query(on)
        .with_only_columns(post.c.id)
        .where(account.c.id == session.c.account_id, post.c.id == post_id)
        .correlate(session)
        .exists()
    )
    changed = connection.execute(
        update(session).where(session.c.token_hash == token_hash, theirs).values(post_id=post_id, token_hash=secret_hash(token))
    ).rowcount
    if not changed:
        raise NotFound("您没有这个岗位，或它已经结束。")
    return token


def note_confirmed(connection: Connection, *, token_hash: bytes, at: datetime, needs: str | None = None) -> None:
    """The holder has just proved again who they are; ``needs`` "" when a second factor has been set up."""
    values: dict[str, Any] = {"confirmed_at": at}
    connection.execute(update(session).where(session.c.token_hash == token_hash).values(values if needs is None else {**values, "needs": needs}))


def close_session(connection: Connection, *, token: str) -> None:
    """Sign out: the cookie is worth nothing afterwards."""
    connection.execute(delete(session).where(session.c.token_hash == secret_hash(token)))


def close_other_sessions(connection: Connection, *, account_id: UUID, keep: bytes | None = None) -> int:
    """End all sessions of an account but ``keep`` (a token hash); how many were ended."""
    statement = delete(session).where(session.c.account_id == account_id)
    return connection.execute(statement if keep is None else statement.where(session.c.token_hash != keep)).rowcount


def end_session(connection: Connection, *, token_hash: bytes) -> UUID | None:
    """End a session by its hash; whose account it was, or None when it was gone already."""
    found: UUID | None = connection.scalar(delete(session).where(session.c.token_hash == token_hash).returning(session.c.account_id))
    return found


def close_listed_session(connection: Connection, *, account_id: UUID, token_hash: bytes) -> None:
    """End one session of one's own list; raises NotFound when it is not there."""
    if not connection.execute(delete(session).where(session.c.account_id == account_id, session.c.token_hash == token_hash)).rowcount:
        raise NotFound("这个会话已经结束。")


def sessions_of(connection: Connection, *, account_id: UUID, at: datetime) -> list[Row[Any]]:
    """Open sessions, the latest first: token_hash, agent, network, way, created_at, seen_at, expires_at, post_title, unit_name."""
    return list(
        connection.execute(
            select(
                session.c.token_hash,
                session.c.agent,
                session.c.network,
                session.c.way,
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


def sessions_everywhere(connection: Connection, *, at: datetime, text: str = "", limit: int = 50) -> list[Row[Any]]:
    """Open sessions of everybody whose login or name begins with ``text``, the latest first, for an administrator."""
    statement = (
        select(
            session.c.token_hash, session.c.account_id, session.c.agent, session.c.network, session.c.way, session.c.created_at, session.c.seen_at,
            account.c.login, person.c.name, unit.c.short_name.label("unit_name"),
        )
        .join(account, account.c.id == session.c.account_id).join(person, person.c.id == account.c.person_id)
        .join(post, post.c.id == session.c.post_id).join(unit, unit.c.id == post.c.unit_id)
        .where(session.c.expires_at > at)
    )
    if text.strip():
        wanted = text.strip()
        statement = statement.where(account.c.login.startswith(wanted.lower(), autoescape=True) | person.c.name.startswith(wanted, autoescape=True))
    return list(connection.execute(statement.order_by(session.c.seen_at.desc(), session.c.token_hash).limit(limit)))
