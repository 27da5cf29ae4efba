"""Proving again who one is, before acts that would hurt most in a thief's hands: rights, keys, second factors, certificates.

``@sensitive`` marks a view; within ``confirm_minutes`` of the last proof it runs, otherwise the reader is asked first.
"""
from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.access import passwords, rates, second_factor, sessions
from engine.kernel.errors import Forbidden
from engine.web import entering
from engine.web.context import actor, application, now, reading, writing
from engine.web.guard import wants_page

blueprint = Blueprint("confirm", __name__)
View = TypeVar("View", bound=Callable[..., Any])
ASK = "请先核对身份，再做一次刚才的操作。"


def sensitive(view: View) -> View:
    """The view runs only for somebody who proved who they are a few minutes ago."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if is_fresh(g.confirmed_at, entering.policy().confirm_minutes):
            return view(*args, **kwargs)
        if not wants_page() or g.bearer:
            raise Forbidden(ASK, code="confirm_identity")
        return redirect(url_for("confirm.page", next=_back()), 303)

    guarded.is_sensitive = True  # type: ignore[attr-defined]
    return cast(View, guarded)


def is_stale() -> bool:
    """Would a sensitive act send the reader to prove who they are? Pages say so before anything is typed."""
    return not is_fresh(g.confirmed_at, entering.policy().confirm_minutes)


def is_fresh(confirmed_at: datetime | None, minutes: int) -> bool:
    """Was the last proof at most ``minutes`` ago?"""
    return confirmed_at is not None and now() - confirmed_at <= timedelta(minutes=minutes)


@blueprint.get("/me/confirm")
def page() -> ResponseReturnValue:
    return _page()


@blueprint.post("/me/confirm")
def prove() -> ResponseReturnValue:
    """The password, or where it is set up a code; wrong ones count towards the lock."""
    account_id = actor().account_id
    with reading() as connection:
        candidate = passwords.candidate_of(connection, account_id=account_id)
    try:
        rules, _ = entering.slow_down(candidate.login)
    except rates.TooOften as error:
        return _page(error.message), error.status
    right = passwords.proves(candidate, request.form.get("password", ""))
    with writing() as connection:
        second = second_factor.is_on(connection, account_id=account_id)
        if right and second:
            right = bool(second_factor.check(connection, application().keys, account_id=account_id, code=request.form.get("code", "")[:60], at=now()))
        result = passwords.settle(connection, candidate=candidate, right=right, at=now(), policy=rules)
        if result.account_id is None:
            entering.failed(connection, login=candidate.login, why="核对身份没有通过")
            if result.locked:
                sessions.end_session(connection, token_hash=g.session_hash)
        else:
            sessions.note_confirmed(connection, token_hash=g.session_hash, at=now())
            entering.note(connection, actor=actor(), action="核对身份")
    if result.account_id is None:
        return _page("密码或动态口令不对。" if not result.locked else result.refusal or ""), 422
    return redirect(_target(), 303)


def _page(refusal: str = "") -> str:
    with reading() as connection:
        second = second_factor.is_on(connection, account_id=actor().account_id)
    return render_template("me/confirm.html", refusal=refusal, second=second, next=_target())


def _back() -> str:
    """The page the reader was on: where this act's form stood."""
    if request.method == "GET":
        return request.path
    came = (request.referrer or "").partition(request.host_url)[2]
    return "/" + came if came else url_for("me.page")


def _target() -> str:
    wanted = request.values.get("next", "")
    return wanted if wanted.startswith("/") and not wanted.startswith("//") and "\\" not in wanted and wanted.isprintable() else url_for("me.page")
