"""Passwords: argon2id, the rules for choosing one, and the lock after wrong tries.

A sign-in has three parts, so that no database connection waits while a hash is computed: ``look_up`` reads the account,
``proves`` computes, ``settle`` locks the row, counts a wrong try or opens the way. Whoever guesses in parallel gains
nothing: ``settle`` refuses a right password too once the account is locked. Logins that nobody has are counted, locked and
answered like those that somebody has.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, RowMapping, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from engine.access.bearer import secret_hash
from engine.access.sign_in_policy import Policy
from engine.kernel.errors import Invalid, NotFound
from engine.kernel.ids import new_id
from engine.storage.tables.organisation import account, person
from engine.storage.tables.sign_in import password_history, sign_in_stranger

# At most one a core, four in all, compute at a time in a process: a burst waits its turn instead of taking the policy's
# memory a head. Each takes about 15 ms of a core at 12 MiB and three passes, one of the choices that OWASP names as equal.
AT_ONCE = max(2, min(4, os.cpu_count() or 2))
_turn = BoundedSemaphore(AT_ONCE)
_cheap: list[PasswordHasher] = []
DEFAULT = Policy()
MAX_FAILURES = DEFAULT.failures
MIN_LENGTH = DEFAULT.min_length
MAX_LENGTH = 128
WRONG = "用户名或密码不正确。"
_KINDS = (re.compile("[a-z]"), re.compile("[A-Z]"), re.compile("[0-9]"), re.compile("[^A-Za-z0-9]"))
_LEET = str.maketrans("013457@$!", "oleastasi")
_RUNS = ("01234567890", "09876543210", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl", "zxcvbnm", "1qaz2wsx3edc4rfv")


@dataclass(frozen=True, kw_only=True)
class SignIn:
    """What came of a sign-in: an account, or a refusal in Chinese. ``must_change`` asks for a new password first."""

    account_id: UUID | None
    must_change: bool = False
    refusal: str | None = None
    locked: bool = False


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """The account that a login may mean, and the hash to compare with: a decoy where nobody is meant."""

    login: str
    account_id: UUID | None
    password_hash: str


def make_cheap() -> None:
    """From now on hashes of this process cost next to nothing. For tests; production never calls it."""
    _cheap[:] = [PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)]
    _decoy.cache_clear()


def hash_password(password: str, *, policy: Policy = DEFAULT) -> str:
    """The argon2id hash to store, with its parameters (those of ``policy``) and salt."""
    with _turn:
        return _hasher(policy).hash(password.encode("utf-8", "replace"))


def matches(password_hash: str, password: str) -> bool:
    """True when ``password`` is the one behind ``password_hash``."""
    try:
        with _turn:
            return _hasher(DEFAULT).verify(password_hash, password.encode("utf-8", "replace"))
    except (VerificationError, InvalidHashError):
        return False


def policy_error(password: str, *, login: str, name: str = "", policy: Policy = DEFAULT) -> str | None:
    """Why ``password`` may not be chosen, in Chinese, or None."""
    if not policy.min_length <= len(password) <= MAX_LENGTH:
        return f"密码长度应为 {policy.min_length} 到 {MAX_LENGTH} 个字符。"
    if sum(bool(kind.search(password)) for kind in _KINDS) < policy.classes:
        return f"密码应包含大写字母、小写字母、数字、符号中的至少{'一二三四'[policy.classes - 1]}种。"
    if login.lower() in password.lower() or (name and name in password):
        return "密码中不能含有用户名或姓名。"
    if re.search(r"(.)\1\1\1", password):
        return "密码中同一个字符不能连续出现四次。"
    if is_common(password):
        return "这个密码太常见，容易被猜到。请换一个，比如几个不相干的词连在一起。"
    return None


def is_common(password: str) -> bool:
    """Is ``password`` made of one of the words that passwords are most often made of, or of a run over the keyboard?"""
    lower = password.lower()
    cores = {re.sub(r"[^a-z]", "", lower), re.sub(r"[^a-z]", "", lower.translate(_LEET)), re.sub(r"[^a-z]", "", lower.strip("0123456789!@#$%^&*._-+= ").translate(_LEET))}
    if cores & _common():
        return True
    rest = lower
    for run in _RUNS:
        for size in range(len(run), 3, -1):
            for start in range(len(run) - size + 1):
                rest = rest.replace(run[start : start + size], "")
    return len(rest) * 3 < len(lower)


def look_up(connection: Connection, *, login: str, policy: Policy = DEFAULT) -> Candidate:
    """The account that ``login`` means; reads only. The decoy of a login that nobody has costs what ``policy`` says."""
    wanted = login.replace("\0", "\ufffd").strip().lower()[:200]
    row = connection.execute(select(account.c.id, account.c.password_hash).where(account.c.login == wanted, account.c.active)).one_or_none()
    if row is None:
        return Candidate(login=wanted, account_id=None, password_hash=_decoy(policy.hash_memory, policy.hash_passes))
    return Candidate(login=wanted, account_id=row.id, password_hash=row.password_hash)


def candidate_of(connection: Connection, *, account_id: UUID) -> Candidate:
    """The candidate of a known account; raises NotFound."""
    row = connection.execute(select(account.c.login, account.c.password_hash).where(account.c.id == account_id)).one_or_none()
    if row is None:
        raise NotFound("没有这个账号。")
    return Candidate(login=row.login, account_id=account_id, password_hash=row.password_hash)


def proves(candidate: Candidate, password: str) -> bool:
    """Compute whether ``password`` is the candidate's; takes the same time where nobody is meant. No database is needed."""
    right = matches(candidate.password_hash, password[:MAX_LENGTH])
    return right and candidate.account_id is not None and len(password) <= MAX_LENGTH


def settle(connection: Connection, *, candidate: Candidate, right: bool, at: datetime, policy: Policy = DEFAULT, password: str = "") -> SignIn:
    """Count a wrong try, or let a right one in unless the account is locked. The caller commits either way."""
    if candidate.account_id is None:
        return _settle_stranger(connection, candidate.login, at, policy)
    a = account.c
    row = connection.execute(
        select(a.id, a.password_hash, a.must_change, a.failures, a.locks, a.locked_until, a.password_at).where(a.id == candidate.account_id).with_for_update()
    ).one()
    if row.locked_until is not None and row.locked_until > at:
        return _locked(row.locked_until, at)
    if not right or row.password_hash != candidate.password_hash:
        values, refused = _count(row._mapping, at, policy)
        connection.execute(update(account).where(a.id == row.id).values(**values))
        return refused
    values = {"failures": 0, "locked_until": None, "locks": 0} if row.failures or row.locked_until or row.locks else {}
    if password and _hasher(policy).check_needs_rehash(row.password_hash):
        values["password_hash"] = hash_password(password, policy=policy)
    old = policy.expires_days and row.password_at is not None and row.password_at + timedelta(days=policy.expires_days) <= at
    if old and not row.must_change:
        values["must_change"] = True
    if values:
        connection.execute(update(account).where(a.id == row.id).values(**values))
    return SignIn(account_id=row.id, must_change=bool(row.must_change or old))


def sign_in(connection: Connection, *, login: str, password: str, at: datetime, policy: Policy = DEFAULT) -> SignIn:
    """The three parts on one connection: for commands and tests; pages compute without a connection in hand."""
    candidate = look_up(connection, login=login, policy=policy)
    return settle(connection, candidate=candidate, right=proves(candidate, password), at=at, policy=policy, password=password)


def _settle_stranger(connection: Connection, login: str, at: datetime, policy: Policy) -> SignIn:
    hashed, t = secret_hash(login), sign_in_stranger.c
    connection.execute(upsert(sign_in_stranger).values(login_hash=hashed, failures=0, locks=0, at=at).on_conflict_do_nothing())
    row = connection.execute(select(t.failures, t.locks, t.locked_until).where(t.login_hash == hashed).with_for_update()).one()
    if row.locked_until is not None and row.locked_until > at:
        return _locked(row.locked_until, at)
    values, refused = _count(row._mapping, at, policy)
    connection.execute(update(sign_in_stranger).where(t.login_hash == hashed).values(**values, at=at))
    return refused


def _count(row: RowMapping, at: datetime, policy: Policy) -> tuple[dict[str, Any], SignIn]:
    """The row after one more wrong try, and what is said. Each lock is twice as long as the one before."""
    failures = row["failures"] + 1
    if failures < policy.failures:
        left = policy.failures - failures
        return {"failures": failures, "locked_until": None}, SignIn(account_id=None, refusal=f"{WRONG}再错 {left} 次将锁定账号。" if left < 3 else WRONG)
    minutes = min(policy.lock_minutes * 2 ** min(row["locks"], 20), policy.longest_lock_minutes)
    words = f"密码连续输错 {policy.failures} 次，账号锁定 {minutes} 分钟。"
    return {"failures": 0, "locks": row["locks"] + 1, "locked_until": at + timedelta(minutes=minutes)}, SignIn(account_id=None, refusal=words, locked=True)


def _locked(until: datetime, at: datetime) -> SignIn:
    minutes = -(-(until - at) // timedelta(minutes=1))
    return SignIn(account_id=None, refusal=f"密码连续输错，账号已锁定，请 {minutes} 分钟后再试，或联系管理员解锁。", locked=True)


def unlock(connection: Connection, *, account_id: UUID) -> None:
    """End a lock by an administrator."""
    connection.execute(update(account).where(account.c.id == account_id).values(failures=0, locks=0, locked_until=None))


def sweep_strangers(connection: Connection, *, at: datetime) -> int:
    """Forget logins that nobody has and nobody tried for two days; how many."""
    return connection.execute(delete(sign_in_stranger).where(sign_in_stranger.c.at < at - timedelta(days=2))).rowcount


def change_password(connection: Connection, *, account_id: UUID, old: str, new: str, at: datetime, policy: Policy = DEFAULT) -> None:
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
    _forbid_repeat(connection, account_id, new, policy)
    _store(connection, account_id, row.login, row.name, new, must_change=False, at=at, policy=policy)
    _remember(connection, account_id, row.password_hash, at)


def reset_password(connection: Connection, *, account_id: UUID, new: str, at: datetime, policy: Policy = DEFAULT) -> None:
    """Set a first password by an administrator; its holder must change it at the next sign-in. Ends a lock."""
    row = connection.execute(
        select(account.c.login, person.c.name).join(person, person.c.id == account.c.person_id).where(account.c.id == account_id)
    ).one_or_none()
    if row is None:
        raise NotFound("没有这个账号。")
    _store(connection, account_id, row.login, row.name, new, must_change=True, at=at, policy=policy)


def _forbid_repeat(connection: Connection, account_id: UUID, new: str, policy: Policy) -> None:
    h = password_history.c
    used = connection.scalars(select(h.password_hash).where(h.account_id == account_id).order_by(h.at.desc()).limit(policy.history)).all() if policy.history else []
    if any(matches(one, new) for one in used):
        words = f"不能用最近 {policy.history} 次用过的密码，请换一个。"
        raise Invalid(words, fields={"new": words})


def _remember(connection: Connection, account_id: UUID, password_hash: str, at: datetime) -> None:
    """Keep the hash of the password just given up; those beyond the 24 latest go."""
    h = password_history.c
    connection.execute(insert(password_history).values(id=new_id(), account_id=account_id, password_hash=password_hash, at=at))
    kept = select(h.id).where(h.account_id == account_id).order_by(h.at.desc()).limit(24)
    connection.execute(delete(password_history).where(h.account_id == account_id, h.id.not_in(kept)))


def _store(
    connection: Connection, account_id: UUID, login: str, name: str, new: str, *, must_change: bool, at: datetime, policy: Policy
) -> None:
    error = policy_error(new, login=login, name=name, policy=policy)
    if error:
        raise Invalid(error, fields={"new": error})
    connection.execute(
        update(account)
        .where(account.c.id == account_id)
        .values(password_hash=hash_password(new, policy=policy), must_change=must_change, failures=0, locks=0, locked_until=None, password_at=at, updated_at=at)
    )


def _hasher(policy: Policy) -> PasswordHasher:
    return _cheap[0] if _cheap else _hasher_of(policy.hash_memory, policy.hash_passes)


@cache
def _hasher_of(memory: int, passes: int) -> PasswordHasher:
    return PasswordHasher(time_cost=passes, memory_cost=memory * 1024, parallelism=1)


@cache
def _decoy(memory: int, passes: int) -> str:
    return hash_password("a password nobody has", policy=Policy(hash_memory=memory, hash_passes=passes))


@cache
def _common() -> frozenset[str]:
    lines = (Path(__file__).parent / "common_passwords.txt").read_text().splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())
