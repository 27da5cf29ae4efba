"""API tokens: made on a page by their holder, worth what the holder's post is worth, ended by date or by hand."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, case, select, update
from sqlalchemy.dialects.postgresql import insert

from engine.access.actors import Actor, actor_of, actor_query
from engine.access.bearer import new_secret, secret_hash
from engine.kernel.clock import legal_date
from engine.kernel.errors import Invalid, NotFound
from engine.kernel.ids import new_id
from engine.storage.tables.organisation import account, api_token, post

PREFIX = "gc_"
LONGEST_DAYS = 366


def create_token(connection: Connection, *, account_id: UUID, post_id: UUID, title: str, days: int, at: datetime) -> tuple[UUID, str]:
    """(id, token). The token is shown once; the table holds its hash. Raises Invalid on an empty title or a bad term."""
    title = title.strip()
    if not title or len(title) > 100:
        raise Invalid("请写明令牌的用途。", fields={"title": "用途应为 1 到 100 个字。"})
    if not 1 <= days <= LONGEST_DAYS:
        raise Invalid("令牌有效期不合要求。", fields={"days": f"有效期应为 1 到 {LONGEST_DAYS} 天。"})
    token, id = new_secret(PREFIX), new_id()
    connection.execute(
        insert(api_token).values(
            id=id,
            account_id=account_id,
            post_id=post_id,
            title=title,
            token_hash=secret_hash(token),
            created_at=at,
            expires_at=at + timedelta(days=days),
        )
    )
    return id, token


def resolve_token(connection: Connection, *, token: str, at: datetime) -> Actor | None:
    """The actor behind a token in one statement; None when unknown, revoked or expired, or its post is over."""
    if not token.startswith(PREFIX):
        return None
    on = legal_date(at)
    row = connection.execute(
        actor_query(on)
        .join(api_token, (api_token.c.account_id == account.c.id) & (api_token.c.post_id == post.c.id))
        .where(api_token.c.token_hash == secret_hash(token), api_token.c.expires_at > at, api_token.c.revoked_at.is_(None))
    ).one_or_none()
    return None if row is None else actor_of(row, on)


def touch_token(connection: Connection, *, token: str, at: datetime) -> int:
    """Note that a token is in use; how often it was used in this minute, this time included."""
    minute = at.replace(second=0, microsecond=0)
    calls = case((api_token.c.minute == minute, api_token.c.calls + 1), else_=1)
    used = update(api_token).where(api_token.c.token_hash == secret_hash(token)).values(used_at=at, minute=minute, calls=calls)
    return connection.execute(used.returning(api_token.c.calls)).scalar_one_or_none() or 0


def revoke_token(connection: Connection, *, account_id: UUID, token_id: UUID, at: datetime) -> None:
    """End a token of one's own; raises NotFound when there is none in use."""
    mine = (api_token.c.id == token_id) & (api_token.c.account_id == account_id) & api_token.c.revoked_at.is_(None)
    if not connection.execute(update(api_token).where(mine).values(revoked_at=at)).rowcount:
        raise NotFound("没有这个令牌，或它已经停用。")


def tokens_of(connection: Connection, *, account_id: UUID) -> list[Row[Any]]:
    """All tokens of an account, the newest first: id, title, created_at, expires_at, used_at, revoked_at."""
    t = api_token.c
    return list(
        connection.execute(
            select(t.id, t.title, t.created_at, t.expires_at, t.used_at, t.revoked_at)
            .where(t.account_id == account_id)
            .order_by(t.created_at.desc())
        )
    )
