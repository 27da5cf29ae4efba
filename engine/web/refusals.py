"""What was refused is on record: a line of the log for each, and where one asker is refused often, a record of the trail and an alarm.

Nothing of what was sent is kept but the address without its question, for it may hold what nobody should read in a log.
"""
from __future__ import annotations

from datetime import timedelta

import structlog
from flask import g, request
from sqlalchemy.exc import SQLAlchemyError

from engine.access import rates
from engine.access.alarms import raise_alarm
from engine.access.audit import note
from engine.web.context import now, writing

log = structlog.get_logger(__name__)
KIND, WINDOW, OFTEN = "refused", timedelta(minutes=10), 30
LOGGED = frozenset({400, 401, 403, 404, 405, 409, 413, 415, 422, 429})
COUNTED = frozenset({401, 403, 404, 405, 413, 415, 429})
INNOCENT = frozenset({"login_required", "change_password_first", "second_factor_first", "confirm_identity", "token_required"})
"""Refusals that happen to everybody in the course of a day's work."""


def note_refusal(status: int, code: str) -> None:
    """Called once for each answer that is an error of the asker's."""
    if status not in LOGGED:
        return
    actor, network = g.get("actor"), request.remote_addr or ""
    who = actor.name if actor is not None else ""
    log.info("refused", status=status, code=code, method=request.method, path=request.path[:300], who=who, network=network)
    if status in COUNTED and code not in INNOCENT:
        _count(who, str(actor.account_id) if actor is not None else network, network, code)


def _count(who: str, subject: str, network: str, code: str) -> None:
    """One more of this asker's; at OFTEN within ten minutes it becomes a record and an alarm, once."""
    try:
        with writing() as connection:
            if rates.count(connection, kind=KIND, subject=subject, at=now(), window=WINDOW) != OFTEN:
                return
            detail = {"times": OFTEN, "minutes": 10, "last": code, "path": request.path[:300]}
            note(connection, actor=g.get("actor"), at=now(), action="access.refused_often", object="访问", network=network, detail=detail)
            text = f"{who or '没有登录的人'}（{network or '地址不明'}）十分钟内被拒绝 {OFTEN} 次，最后一次：{code}"
            raise_alarm(connection, kind="attack", subject=subject, text=text, at=now(), level="middle")
    except SQLAlchemyError:
        log.warning("refusal not counted", exc_info=True)
