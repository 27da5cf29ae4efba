"""Passwords: argon2id, the rules for choosing one, and the lock after wrong tries.

``sign_in`` returns a refusal instead of raising it, so that the caller's transaction commits the count of wrong tries.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import Connection, select, update

from engine.kernel.errors import Invalid, NotFound
from engine.storage.tables.organisation import account, person

# About 50 ms and 19 MiB on the reference machine: a burst of sign-ins stays inside the memory of one worker.
_hasher = PasswordHasher(time_cost=5, memory_cost=19_456, parallelism=1)
MAX_FAILURES = 5
LOCKED_FOR = timedelta(minutes=15)
MIN_LENGTH = 10
MAX_LENGTH = 128
WRONG = "用户名或密码不正确。"
_KINDS = (re.compile("[a-z]"), re.compile("[A-Z]"), re.compile("[0-9]"), re.compile("[^A-Za-z0-9]"))


@dataclass(frozen=True, kw_only=True)
class SignIn:
    """What came of a sign-in: an account, or a refusal in Chinese. ``must_change`` asks for a new password first."""

    account_id: UUID | None
    must_change: bool = False
    refusal: str | None = None


def hash_password(password: str) -> str:
    """The argon2id hash to store, with its parameters and salt."""
    return _hasher.hash(password)


def matches(password_hash: str, password: str) -> bool:
    """True when ``password`` is the one behind ``password_hash``."""
    try:
        return _hasher.verify(password_hash, password)
    except (VerifyMismatchError, InvalidHashError):
        return False


def policy_error(password: str, *, login: str, name: str = "") -> str | None:
    """Why ``password`` may not be chosen, in Chinese, or None."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        return f"密码长度应为 {MIN_LENGTH} 到 {MAX_LENGTH} 个字符。"
    if sum(bool(kind.search(password)) for kind in _KINDS) < 3:
        return "密码应包含大写字母、小写字母、数字、符号中的至少三种。"
    if login.lower() in password.lower() or (name and name in password):
        return "密码中不能含有用户名或姓名。"
    if re.search(r"(.)\1\1\1", password):
        return "密码中同一个字符不能连续出现四次。"
    return None


def sign_in(connection: Connection, *, login: str, password: str, at: datetime) -> SignIn:
    """Check a login and password; counts wrong tries and locks the account for a while after five of them in a row.

    An unknown login costs the same time and says the same words as a wrong password.
    """
    row = connection.execute(
        select(account.c.id, account.c.password_hash, account.c.must_change, account.c.failures, account.c.locked_until, account.c.active)
        .where(account.c.login == login.strip().lower())
        .with_for_update()
    ).one_or_none()
    if row is None or not row.active:
        matches(_decoy(), password[:MAX_LENGTH])
        return SignIn(account_id=None, refusal=WRONG)
    if row.locked_until is not None and row.locked_until > at:
        minutes = -(-(row.locked_until - at) // timedelta(minutes=1))
        return SignIn(account_id=None, refusal=f"密码连续输错，账号已锁定，请 {minutes} 分钟后再试，或联系管理员解锁。")
    if len(password) > MAX_LENGTH or not matches(row.password_hash, password):
        return _refuse(connection, row.id, row.failures + 1, at)
    values: dict[str, object] = {"failures": 0, "locked_until": None}
    if _hasher.check_needs_rehash(row.password_hash):
        values["password_hash"] = hash_password(password)
    if row.failures or row.locked_until or len(values) > 2:
        connection.execute(update(account).where(account.c.id == row.id).values(**values))
    return SignIn(account_id=row.id, must_change=row.must_change)


def _refuse(connection: Connection, account_id: UUID, failures: int, at: datetime) -> SignIn:
    locked = failures >= MAX_FAILURES
    connection.execute(
        update(account)
        .where(account.c.id == account_id)
        .values(failures=0 if locked else failures, locked_until=at + LOCKED_FOR if locked else None)
    )
    if locked:
        minutes = LOCKED_FOR // timedelta(minutes=1)
        return SignIn(account_id=None, refusal=f"密码连续输错 {MAX_FAILURES} 次，账号锁定 {minutes} 分钟。")
    return SignIn(account_id=None, refusal=f"{WRONG}再错 {MAX_FAILURES - failures} 次将锁定账号。" if failures > 2 else WRONG)


def change_password(connection: Connection, *, account_id: UUID, old: str, new: str, at: datetime) -> None:
    """Replace a password by its holder; raises Invalid with a message at ``old`` or ``new``."""
    row = connection.execute(
        select(account.c.login, account.c.password_hash, person.c.name)
        .join(person, person.c.id == account.c.person_id)
        .where(account.c.id == account_id)
        .with_for_update(of=account)
    ).one_or_none()
    if row is None:
        raise NotFound("没有这个账号。")
    if not matches(row.password_hash, old):
        raise Invalid("原密码不正确，密码未修改。", fields={"old": "原密码不正确。"})
    if old == new:
        raise Invalid("新密码不能与原密码相同。", fields={"new": "请换一个与原密码不同的密码。"})
    _store(connection, account_id, row.login, row.name, new, must_change=False, at=at)


def reset_password(connection: Connection, *, account_id: UUID, new: str, at: datetime) -> None:
    """Set a first password by an administrator; its holder must change it at the next sign-in. Ends a lock."""
    row = connection.execute(
        select(account.c.login, person.c.name).join(person, person.c.id == account.c.person_id).where(account.c.id == account_id)
    ).one_or_none()
    if row is None:
        raise NotFound("没有这个账号。")
    _store(connection, account_id, row.login, row.name, new, must_change=True, at=at)


def _store(connection: Connection, account_id: UUID, login: str, name: str, new: str, *, must_change: bool, at: datetime) -> None:
    error = policy_error(new, login=login, name=name)
    if error:
        raise Invalid(error, fields={"new": error})
    connection.execute(
        update(account)
        .where(account.c.id == account_id)
        .values(password_hash=hash_password(new), must_change=must_change, failures=0, locked_until=None, updated_at=at)
    )


@cache
def _decoy() -> str:
    return hash_password("a password nobody has")
