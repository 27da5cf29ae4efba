"""Accounts: opened with a first password shown once, reset, locked, ended; global rights by the security administrator."""
from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select, update

from engine.access.actors import RIGHTS, Actor
from engine.access.exclusive import EXCLUSIVE, WORDS
from engine.access.organisation import get_person
from engine.access.passwords import hash_password, reset_password
from engine.access.staffing import create_account, deactivate_account, set_rights
from engine.kernel.errors import Conflict, Forbidden, NotFound
from engine.runtime.application import Application
from engine.runtime.organising.people import end_sessions_of
from engine.runtime.organising.perform import ADMIN, SECURITY, Done, perform
from engine.storage.tables.organisation import account, person

FOREVER = datetime(9999, 1, 1, tzinfo=UTC)
"""``locked_until`` of an account that an administrator locked."""
LETTERS = "abcdefghjkmnpqrstuvwxyz"


def first_password() -> str:
    """Easy to read out, hard to guess, within the rules: 20 letters and digits in groups."""
    groups = ["".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(3)]
    return f"{groups[0].capitalize()}-{groups[1]}-{groups[2]}-{secrets.randbelow(9000) + 1000}"


def open_account(app: Application, *, actor: Actor, person_id: UUID, login: str, key: str, at: datetime) -> str:
    """An account without global rights; the first password, to be changed at the first sign-in (empty when the key was used before). Raises Invalid, Conflict."""
    password, shown = first_password(), []
    hashed = hash_password(password)

    def do(connection: Connection) -> Done:
        who = get_person(connection, person_id=person_id)
        if who.login is not None:
            raise Conflict(f"{who.name}已经有账号 {who.login}。停用的可以恢复。")
        create_account(connection, person_id=person_id, login=login, password_hash=hashed, at=at)
        shown.append(password)
        return Done(text=f"为{who.name}开账号 {login.strip().lower()}", person_id=person_id)

    perform(app, actor=actor, right=ADMIN, verb="open_account", key=key, at=at, do=do)
    return "".join(shown)


def reset_account(app: Application, *, actor: Actor, person_id: UUID, reason: str, key: str, at: datetime) -> str:
    """A new first password; open sessions end, a lock too. Raises Forbidden for accounts that guard the administrators."""
    password, shown = first_password(), []

    def do(connection: Connection) -> Done:
        row = _account(connection, person_id)
        _require_reach(actor, row)
        reset_password(connection, account_id=row.id, new=password, at=at)
        end_sessions_of(connection, account_id=row.id)
        shown.append(password)
        return Done(text=f"重置{row.name}的密码", person_id=person_id)

    perform(app, actor=actor, right=_right_over(app, person_id), verb="reset_account", key=key, at=at, do=do, reason=reason, why_required=True)
    return "".join(shown)


def lock_account(app: Application, *, actor: Actor, person_id: UUID, locked: bool, reason: str, key: str, at: datetime) -> None:
    """Lock until it is unlocked, or lift any lock."""

    def do(connection: Connection) -> Done:
        row = _account(connection, person_id)
        _require_reach(actor, row)
        connection.execute(update(account).where(account.c.id == row.id).values(locked_until=FOREVER if locked else None, failures=0, updated_at=at))
        if locked:
            end_sessions_of(connection, account_id=row.id)
        return Done(text=f"{'锁定' if locked else '解锁'}{row.name}的账号", person_id=person_id)

    perform(app, actor=actor, right=_right_over(app, person_id), verb="lock_account" if locked else "unlock_account", key=key, at=at, do=do, reason=reason, why_required=True)


def end_account(app: Application, *, actor: Actor, person_id: UUID, ended: bool, reason: str, key: str, at: datetime) -> None:
    """Stop an account, or take it into use again for somebody who is here."""

    def do(connection: Connection) -> Done:
        row = _account(connection, person_id)
        _require_reach(actor, row)
        if ended:
            deactivate_account(connection, account_id=row.id, at=at)
        elif not row.person_active:
            raise Conflict(f"{row.name}已离职，账号不能恢复。")
        else:
            connection.execute(update(account).where(account.c.id == row.id).values(active=True, updated_at=at))
        return Done(text=f"{'停用' if ended else '恢复'}{row.name}的账号", person_id=person_id)

    perform(app, actor=actor, right=_right_over(app, person_id), verb="end_account" if ended else "restore_account", key=key, at=at, do=do, reason=reason, why_required=True)


def give_rights(app: Application, *, actor: Actor, person_id: UUID, rights: Collection[str], reason: str, key: str, at: datetime) -> None:
    """Replace somebody's global rights; by the security administrator, never one's own. Raises Forbidden, Invalid (三员分立)."""
    if person_id == actor.person_id:
        raise Forbidden("不能改自己的权限，请另一位安全管理员办理。")

    def do(connection: Connection) -> Done:
        row = _account(connection, person_id)
        set_rights(connection, account_id=row.id, rights=rights, at=at)
        before, after = set(row.rights), set(rights)
        words = [f"给{RIGHTS[r].split('：')[0]}" for r in sorted(after - before)] + [f"收回{RIGHTS[r].split('：')[0]}" for r in sorted(before - after)]
        return Done(text=f"改{row.name}的权限：{'、'.join(words) or '没有变化'}", person_id=person_id, detail={"before": sorted(before), "after": sorted(after)})

    perform(app, actor=actor, right=SECURITY, verb="give_rights", key=key, at=at, do=do, reason=reason, why_required=True)


def account_of(connection: Connection, *, person_id: UUID) -> Any:
    """The account's row of a person without its password, or None."""
    a = account.c
    return connection.execute(select(a.id, a.login, a.rights, a.active, a.locked_until, a.must_change, a.failures).where(a.person_id == person_id)).one_or_none()


def _account(connection: Connection, person_id: UUID) -> Any:
    a = account.c
    row = connection.execute(select(a.id, a.login, a.rights, a.active, person.c.name, person.c.active.label("person_active")).join(person).where(a.person_id == person_id)).one_or_none()
    if row is None:
        raise NotFound("他还没有账号。")
    return row


def _right_over(app: Application, person_id: UUID) -> str:
    """Who may touch the account: the administrator, but of those who guard the administrator the security administrator."""
    with app.db.connect() as connection:
        rights = connection.scalar(select(account.c.rights).where(account.c.person_id == person_id)) or []
    return SECURITY if {"security", "auditor"} & set(rights) else ADMIN


def _require_reach(actor: Actor, row: Any) -> None:
    guards = (EXCLUSIVE - {ADMIN}) & set(row.rights)
    if guards and SECURITY not in actor.rights:
        raise Forbidden(f"这是{'、'.join(WORDS[one] for one in sorted(guards))}的账号，由安全管理员管理。")
