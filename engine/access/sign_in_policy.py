"""What a deployment asks of passwords, second factors and sessions: dated, so that a stricter rule starts on a day that was told.

A row holds only what differs from the default. ASVS 4.0.3 V2.1 and V3.3, GB/T 22239 8.1.4.1 (身份鉴别) are the sources of the defaults.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, insert, select

from engine.access.actors import RIGHTS
from engine.access.sign_in_bounds import problems
from engine.kernel.errors import Invalid
from engine.kernel.ids import new_id
from engine.storage.tables.sign_in import sign_in_policy


@dataclass(frozen=True, kw_only=True)
class Policy:
    """Lengths in characters, times in minutes unless the name says days. ``most_sessions`` 0: as many as one likes.

    ``networks`` are the address ranges from which one may sign in (empty: any), ``guard_networks`` those for administrators,
    ``hours`` the time of day (``07:00-22:00``, empty: any), which holders of ``hours_free`` need not keep.
    ``hash_memory`` MiB and ``hash_passes`` are what argon2id takes for one password; a password hashed otherwise is hashed
    again when its holder signs in.
    """

    min_length: int = 12
    classes: int = 3
    history: int = 5
    expires_days: int = 90
    failures: int = 5
    lock_minutes: int = 15
    longest_lock_minutes: int = 1440
    tries_per_account: int = 20
    tries_per_address: int = 300
    wrong_per_address: int = 100
    second_rights: tuple[str, ...] = ()
    second_posts: tuple[str, ...] = ()
    idle_minutes: int = 120
    longest_minutes: int = 960
    most_sessions: int = 5
    when_full: str = "oldest"
    confirm_minutes: int = 15
    bind_network: bool = False
    networks: tuple[str, ...] = ()
    guard_networks: tuple[str, ...] = ()
    hours: str = ""
    hours_free: tuple[str, ...] = ("admin", "operator", "security")
    hash_memory: int = 12
    hash_passes: int = 3

    def asks_second(self, *, rights: frozenset[str], post: str) -> bool:
        """Must a holder of these rights in this post have a second factor?"""
        return bool(rights & set(self.second_rights)) or post in self.second_posts

    @property
    def idle(self) -> timedelta:
        return timedelta(minutes=self.idle_minutes)

    @property
    def longest(self) -> timedelta:
        return timedelta(minutes=self.longest_minutes)


PRODUCTION = Policy(second_rights=("admin", "auditor", "security"))
LIMITS: Mapping[str, tuple[int, int, str]] = {
    "min_length": (8, 64, "密码最短几个字符"), "classes": (1, 4, "大写、小写、数字、符号至少几种"), "history": (0, 24, "不能与最近几次的密码相同"),
    "expires_days": (0, 3650, "密码用多少天要换（0 不要求）"), "failures": (3, 20, "连错几次锁定"), "lock_minutes": (1, 1440, "第一次锁定几分钟（以后每次加倍）"),
    "longest_lock_minutes": (1, 10080, "最长锁定几分钟"), "tries_per_account": (5, 1000, "一个账号一分钟最多试几次"),
    "tries_per_address": (10, 100000, "一个地址一分钟最多试几次"), "wrong_per_address": (10, 100000, "一个地址十分钟最多错几次"),
    "idle_minutes": (5, 1440, "空闲几分钟退出"), "longest_minutes": (30, 10080, "登录后最长几分钟"), "most_sessions": (0, 100, "同时登录几处（0 不限）"),
    "confirm_minutes": (1, 240, "敏感操作前几分钟内核对过身份"), "hash_memory": (7, 64, "密码散列（argon2id）用多少内存，MB"),
    "hash_passes": (1, 10, "密码散列算几遍"),
}
LEAST_WORK = 35
"""MiB times passes of argon2id with one lane: OWASP's equal choices are 7×5, 9×4, 12×3, 19×2."""
WHEN_FULL = {"oldest": "最早的一处退出", "refuse": "新的登录被拒绝"}


def default_policy(environment: str) -> Policy:
    """Production asks administrators for a second factor; the demo city can be entered with its one password."""
    return PRODUCTION if environment == "production" else Policy()


def policy_on(connection: Connection, *, on: date, environment: str = "") -> Policy:
    """The policy in force on ``on``: the default of ``environment`` with the newest row whose day has come."""
    t = sign_in_policy.c
    changes = connection.scalar(select(t.changes).where(t.valid_from <= on).order_by(t.valid_from.desc(), t.at.desc()).limit(1))
    return apply(default_policy(environment), changes or {})


def apply(base: Policy, changes: Mapping[str, Any]) -> Policy:
    """``base`` with ``changes`` as they stand in the database."""
    known = {field.name for field in fields(Policy)}
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in changes.items() if name in known}
    return replace(base, **values)


def check_changes(given: Mapping[str, Any]) -> dict[str, Any]:
    """``given`` as a row may hold it; raises Invalid with a message at each field."""
    wrong: dict[str, str] = {}
    for name, (least, most, title) in LIMITS.items():
        value = given.get(name)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most):
            wrong[name] = f"“{title}”应为 {least} 到 {most}。"
    if given.get("hash_memory", Policy.hash_memory) * given.get("hash_passes", Policy.hash_passes) < LEAST_WORK and not wrong:
        wrong["hash_passes"] = f"内存（MB）乘遍数不能少于 {LEAST_WORK}，例如 12 MB 算 3 遍，否则密码容易被猜出。"
    if given.get("when_full", "oldest") not in WHEN_FULL:
        wrong["when_full"] = "请选择登录满了怎么办。"
    wrong |= dict(problems(given))
    for name in ("second_rights", "hours_free"):
        if unknown := set(given.get(name, ())) - set(RIGHTS):
            wrong[name] = f"没有这些权限：{'、'.join(sorted(unknown))}。"
    if unknown := set(given) - {field.name for field in fields(Policy)}:
        wrong["policy"] = f"没有这些设置：{'、'.join(sorted(unknown))}。"
    if wrong:
        raise Invalid("登录规定没有保存，请改好标出的地方。", fields=wrong)
    return {name: list(value) if isinstance(value, tuple | set | frozenset) else value for name, value in given.items()}


def set_policy(
    connection: Connection, *, changes: Mapping[str, Any], valid_from: date, reason: str, by_name: str, by_id: UUID | None, at: datetime, on: date
) -> UUID:
    """A new row from ``valid_from`` (today or later) on; raises Invalid."""
    if valid_from < on:
        raise Invalid("登录规定不能从过去开始。", fields={"valid_from": "请填今天或以后的日期。"})
    if not reason.strip():
        raise Invalid("请写明为什么改。", fields={"reason": "请写明依据或原因。"})
    id = new_id()
    connection.execute(insert(sign_in_policy).values(
        id=id, valid_from=valid_from, changes=check_changes(changes), reason=reason.strip()[:500], by_name=by_name, by_id=by_id, at=at,
    ))
    return id


def listed(connection: Connection) -> list[Row[Any]]:
    """All rows, the latest day first."""
    return list(connection.execute(select(sign_in_policy).order_by(sign_in_policy.c.valid_from.desc(), sign_in_policy.c.at.desc()).limit(100)))
