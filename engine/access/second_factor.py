"""Time-based codes (RFC 6238: SHA-1, six figures, half a minute) and ten recovery codes. A code is taken once.

The secret is sealed with the data key; recovery codes are kept as SM3 hashes of 80 random bits.
"""
from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from uuid import UUID

import pyotp
from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from engine.access.bearer import secret_hash
from engine.kernel.errors import Invalid, NotFound
from engine.kernel.gm import KeyRing
from engine.kernel.ids import new_id
from engine.storage.tables.organisation import account
from engine.storage.tables.sign_in import recovery_code, second_factor

STEP = 30
ISSUER = "规程执法办案平台"
RECOVERY_CODES = 10


@dataclass(frozen=True, kw_only=True)
class Enrolment:
    """A secret that waits for its first code: ``secret`` in base 32, ``address`` for the QR code."""

    secret: str
    address: str


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What an account has: ``since`` None without a confirmed factor; ``recovery_left`` unused recovery codes."""

    since: datetime | None
    recovery_left: int


def standing(connection: Connection, *, account_id: UUID) -> Standing:
    """What this account has set up."""
    since = connection.scalar(select(second_factor.c.confirmed_at).where(second_factor.c.account_id == account_id))
    left = connection.scalar(select(func.count()).where(recovery_code.c.account_id == account_id, recovery_code.c.used_at.is_(None)))
    return Standing(since=since, recovery_left=left or 0)


def begin(connection: Connection, keys: KeyRing, *, account_id: UUID, at: datetime) -> Enrolment:
    """A new secret, in force once ``confirm`` has seen a code of it; raises Invalid while a confirmed one stands."""
    login = connection.scalar(select(account.c.login).where(account.c.id == account_id))
    if login is None:
        raise NotFound("没有这个账号。")
    t, secret = second_factor.c, pyotp.random_base32()
    made = upsert(second_factor).values(account_id=account_id, secret=_seal(keys, account_id, secret), at=at)
    changed = connection.scalar(made.on_conflict_do_update(
        index_elements=["account_id"], set_={"secret": made.excluded.secret, "at": at, "last_step": 0}, where=t.confirmed_at.is_(None),
    ).returning(t.account_id))
    if changed is None:
        raise Invalid("动态口令已经启用。要换手机，请先停用。")
    return _enrolment(login, secret)


def waiting(connection: Connection, keys: KeyRing, *, account_id: UUID) -> Enrolment | None:
    """The secret that waits for its first code, to be shown again."""
    t = second_factor.c
    row = connection.execute(
        select(t.secret, account.c.login).join(account, account.c.id == t.account_id).where(t.account_id == account_id, t.confirmed_at.is_(None))
    ).one_or_none()
    return None if row is None else _enrolment(row.login, _open(keys, account_id, row.secret))


def confirm(connection: Connection, keys: KeyRing, *, account_id: UUID, code: str, at: datetime) -> list[str]:
    """The first code puts the secret in force; the recovery codes, shown once. Raises Invalid on a wrong code."""
    t = second_factor.c
    row = connection.execute(select(t.secret, t.last_step, t.confirmed_at).where(t.account_id == account_id).with_for_update()).one_or_none()
    if row is None or row.confirmed_at is not None:
        raise Invalid("没有等待启用的动态口令，请从头再来。")
    step = _step_of(_open(keys, account_id, row.secret), code, at)
    if step is None:
        raise Invalid("动态口令不对。", fields={"code": "动态口令不对，请核对手机的时间后填写现在显示的六位数字。"})
    connection.execute(update(second_factor).where(t.account_id == account_id).values(confirmed_at=at, last_step=step))
    return renew_recovery(connection, account_id=account_id, at=at)


def renew_recovery(connection: Connection, *, account_id: UUID, at: datetime) -> list[str]:
    """Ten new recovery codes; the old ones are worth nothing."""
    connection.execute(delete(recovery_code).where(recovery_code.c.account_id == account_id))
    codes = ["-".join(secrets.token_hex(2) for _ in range(5)) for _ in range(RECOVERY_CODES)]
    connection.execute(insert(recovery_code), [
        {"id": new_id(), "account_id": account_id, "code_hash": _recovery_hash(account_id, one), "at": at} for one in codes
    ])
    return codes


def is_on(connection: Connection, *, account_id: UUID) -> bool:
    """Must this account give a code?"""
    return connection.scalar(select(second_factor.c.confirmed_at).where(second_factor.c.account_id == account_id)) is not None


def check(connection: Connection, keys: KeyRing, *, account_id: UUID, code: str, at: datetime) -> str:
    """"code" or "recovery" when ``code`` is right and was not used before, else "". A right one is used up."""
    t = second_factor.c
    row = connection.execute(select(t.secret, t.last_step).where(t.account_id == account_id, t.confirmed_at.is_not(None)).with_for_update()).one_or_none()
    if row is None:
        return ""
    step = _step_of(_open(keys, account_id, row.secret), code, at)
    if step is not None and step > row.last_step:
        connection.execute(update(second_factor).where(t.account_id == account_id).values(last_step=step))
        return "code"
    r = recovery_code.c
    used = connection.execute(
        update(recovery_code).where(r.account_id == account_id, r.code_hash == _recovery_hash(account_id, code), r.used_at.is_(None)).values(used_at=at)
    ).rowcount
    return "recovery" if used else ""


def remove(connection: Connection, *, account_id: UUID) -> bool:
    """Take the second factor away (its holder, or an administrator when the telephone is lost); False when there was none."""
    connection.execute(delete(recovery_code).where(recovery_code.c.account_id == account_id))
    return bool(connection.execute(delete(second_factor).where(second_factor.c.account_id == account_id)).rowcount)


def _step_of(secret: str, code: str, at: datetime) -> int | None:
    """The half minute whose code this is: now, or one before or after for a clock that is off."""
    wanted, now = "".join(code.split()), int(at.timestamp()) // STEP
    if len(wanted) != 6 or not wanted.isascii() or not wanted.isdigit():
        return None
    totp = pyotp.TOTP(secret)
    return next((step for step in (now, now - 1, now + 1) if compare_digest(totp.generate_otp(step), wanted)), None)


def _enrolment(login: str, secret: str) -> Enrolment:
    return Enrolment(secret=secret, address=pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=ISSUER))


def _seal(keys: KeyRing, account_id: UUID, secret: str) -> bytes:
    return keys.encrypt(secret.encode(), b"second_factor:" + account_id.bytes)


def _open(keys: KeyRing, account_id: UUID, sealed: bytes) -> str:
    return keys.decrypt(bytes(sealed), b"second_factor:" + account_id.bytes).decode()


def _recovery_hash(account_id: UUID, code: str) -> bytes:
    return secret_hash(f"{account_id}:{code.strip().lower().replace('-', '').replace(' ', '')}")
