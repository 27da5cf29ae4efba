"""What every way to sign in shares: limits before, a second factor in between, a session and a record after.

A refusal is committed (the count of wrong tries, the record), so views get it as a value and never as an exception.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import request
from sqlalchemy import Connection

from engine.access import actors, audit, ldap, one_time, passwords, rates, second_factor, sessions, sign_in_bounds
from engine.access.alarms import raise_alarm
from engine.access.directories import read_directories
from engine.access.sign_in_policy import Policy, policy_on
from engine.kernel.clock import legal_date
from engine.kernel.errors import Forbidden, GuichengError
from engine.web.context import application, now, reading, today, writing

TEN_MINUTES = timedelta(minutes=10)
TOO_OFTEN = "登录太频繁，请过一会儿再试。"
ADDRESS, ACCOUNT, WRONG_TRIES, SECOND = "sign_in.address", "sign_in.account", "sign_in.wrong", "second"
WAYS = {"password": "密码", "second": "密码和动态口令", "certificate": "数字证书", "openid": "统一认证", "ldap": "目录账号"}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What came of a try: a session, or a second factor that is still owed (its token in ``owed``), or a refusal."""

    opened: sessions.OpenSession | None = None
    must_change: bool = False
    refusal: str = ""
    status: int = 422
    owed: str = ""


def network() -> str:
    """The address of who asks (behind a configured proxy: who asked the proxy)."""
    return request.remote_addr or ""


def policy() -> Policy:
    """Today's policy."""
    with reading() as connection:
        return rules_today(connection)


def rules_today(connection: Connection) -> Policy:
    """Today's policy, on a connection that is open already."""
    return policy_on(connection, on=today(), environment=application().settings.environment)


def slow_down(login: str) -> tuple[Policy, passwords.Candidate]:
    """Count this try for the address and the login in every worker's sight; raises TooOften. Today's policy and who is meant."""
    with writing() as connection:
        policy = rules_today(connection)
        tries = rates.count(connection, kind=ADDRESS, subject=network(), at=now())
        same = rates.count(connection, kind=ACCOUNT, subject=login.strip().lower()[:200], at=now()) if login else 0
        wrong = rates.counted(connection, kind=WRONG_TRIES, subject=network(), at=now(), window=TEN_MINUTES)
        over = tries > policy.tries_per_address or same > policy.tries_per_account or wrong >= policy.wrong_per_address
        if tries == policy.tries_per_address + 1 or same == policy.tries_per_account + 1:  # once a minute, not once a try
            audit.note(connection, actor=None, at=now(), action="登录受限", object="账号", network=network(), detail={"tries": tries, "same": same, "wrong": wrong})
            raise_alarm(connection, kind="attack", subject=f"sign-in:{network()}", text=f"从 {network()} 登录太频繁：一分钟 {tries} 次，十分钟内错 {wrong} 次", at=now(), level="low")
        candidate = passwords.look_up(connection, login=login, policy=policy)
    if over:
        raise rates.TooOften(TOO_OFTEN, retry_after=rates.seconds_left(now(), TEN_MINUTES if wrong >= policy.wrong_per_address else timedelta(minutes=1)))
    return policy, candidate


def by_password(*, login: str, password: str, code: str = "", only: str = "") -> Entry:
    """Try a login and password; ``code`` answers a second factor at once, ``only`` is the person who must come out of it."""
    rules, candidate = slow_down(login)
    right, way = passwords.proves(candidate, password), "password"  # no connection is held while this computes
    house = read_directories(application().settings.data_dir, application().keys).ldap if not right else None
    known = ldap.vouches(house, login=login[:200], password=password[: passwords.MAX_LENGTH]) if house else ""
    if known:
        with reading() as connection:
            candidate = passwords.look_up(connection, login=known)
        right, way, password = candidate.account_id is not None, "ldap", ""
    with writing() as connection:
        result = passwords.settle(connection, candidate=candidate, right=right, at=now(), policy=rules, password=password)
        if result.account_id is None:
            failed(connection, login=login, why=result.refusal or passwords.WRONG)
            return Entry(refusal=result.refusal or passwords.WRONG)
        return go_on(connection, account_id=result.account_id, rules=rules, must_change=result.must_change and way == "password", code=code, only=only, way=way)


def go_on(connection: Connection, *, account_id: UUID, rules: Policy, must_change: bool = False, code: str = "", only: str = "", way: str = "password") -> Entry:
    """The first proof was right: ask for the second where one is set up, else open the session."""
    if second_factor.is_on(connection, account_id=account_id):
        if not code:
            detail = {"account": str(account_id), "must_change": must_change, "way": way}
            return Entry(owed=one_time.new_step(connection, kind=SECOND, detail=detail, at=now()), refusal="请再填动态口令。")
        if not second_factor.check(connection, application().keys, account_id=account_id, code=code, at=now()):
            return _wrong_code(connection, account_id, rules)
        way = "second" if way == "password" else way
    return enter(connection, account_id=account_id, rules=rules, way=way, must_change=must_change, only=only)


def by_second(*, token: str, code: str) -> Entry:
    """Answer the second factor that is owed; wrong codes count like wrong passwords."""
    rules, _ = slow_down("")
    with writing() as connection:
        step = one_time.try_step(connection, kind=SECOND, token=token, at=now())
        if step is None:
            return Entry(refusal="这一步已经过期，请重新登录。", status=410)
        account_id = UUID(step["account"])
        if not second_factor.check(connection, application().keys, account_id=account_id, code=code, at=now()):
            return _wrong_code(connection, account_id, rules, owed=token)
        one_time.take_step(connection, kind=SECOND, token=token, at=now())
        way = "second" if step["way"] == "password" else step["way"]
        return enter(connection, account_id=account_id, rules=rules, way=way, must_change=step["must_change"])


def _wrong_code(connection: Connection, account_id: UUID, rules: Policy, *, owed: str = "") -> Entry:
    candidate = passwords.candidate_of(connection, account_id=account_id)
    result = passwords.settle(connection, candidate=candidate, right=False, at=now(), policy=rules)
    failed(connection, login=candidate.login, why="动态口令不对")
    if result.locked:
        return Entry(refusal=result.refusal or "")
    return Entry(refusal="动态口令不对，或已经用过。请等手机上换一个新的再填。", owed=owed)


def enter(connection: Connection, *, account_id: UUID, rules: Policy, way: str, must_change: bool = False, only: str = "") -> Entry:
    """Open the session and record it. Refuses somebody else than ``only``, whoever holds no post, and where or when the policy says no."""
    try:
        actor = actors.load_actor(connection, account_id, None, legal_date(now()))
        if only and str(actor.person_id) != only:
            return Entry(refusal="这张页面不是您填的，请用原来的账号登录。")
        if refused := sign_in_bounds.refusal(rules, network=network(), at=now(), rights=actor.rights):
            raise Forbidden(refused, code="not_here_or_now")
        lacks = way in ("password", "ldap") and rules.asks_second(rights=actor.rights, post=actor.post_code)
        opened = sessions.open_session(
            connection, account_id=account_id, post_id=actor.post_id, agent=request.user_agent.string, at=now(), network=network(), way=way,
            needs="second" if lacks else "", policy=rules,
        )
    except GuichengError as error:
        audit.note(connection, actor=None, at=now(), action="登录失败", object="账号", network=network(), detail={"known": True, "why": error.message})
        return Entry(refusal=error.message, status=error.status)
    note(connection, actor=actor, action="登录", detail={"way": way, **({"ended": opened.ended} if opened.ended else {})})
    return Entry(opened=opened, must_change=must_change)


def note(connection: Connection, *, actor: actors.Actor, action: str, detail: Mapping[str, Any] | None = None) -> None:
    """A record about the actor's own account."""
    audit.note(connection, actor=actor, at=now(), action=action, object="账号", network=network(), detail=detail)


def failed(connection: Connection, *, login: str, why: str) -> None:
    """A failed try is counted for its address and on record; what was typed is not kept, for it may be a password."""
    rates.count(connection, kind=WRONG_TRIES, subject=network(), at=now(), window=TEN_MINUTES)
    found = actors.find_actor_by_login(connection, login=login.replace("\0", "\ufffd").strip().lower(), on=legal_date(now()))
    audit.note(connection, actor=found, at=now(), action="登录失败", object="账号", network=network(), detail={"known": found is not None, "why": why})
