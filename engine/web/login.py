"""Signing in and out, and signing in again without leaving a half-filled form."""
from __future__ import annotations

from uuid import UUID

from flask import Blueprint, current_app, g, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask.wrappers import Response
from sqlalchemy import Connection

from engine.access import actors, audit, passwords, sessions
from engine.kernel.clock import legal_date
from engine.kernel.errors import Forbidden
from engine.kernel.settings import DEMO_PASSWORD
from engine.runtime.queries import demo_logins
from engine.web import csrf
from engine.web.context import application, now, reading, writing
from engine.web.guard import COOKIE, LoginRequired, public

blueprint = Blueprint("login", __name__)


@blueprint.get("/login")
@public
def page() -> ResponseReturnValue:
    if g.actor is not None:
        return redirect(_target())
    return _page()


@blueprint.post("/login")
@public
def sign_in() -> ResponseReturnValue:
    name = request.form.get("login", "")[:100]
    token, refusal, must_change = _open(name, request.form.get("password", ""))
    if token is None:
        return _page(login=name, refusal=refusal), 422
    answer = make_response(redirect(url_for("me.password") if must_change else _target(), 303))
    csrf.set_cookie(answer, COOKIE, token.token)
    return answer


@blueprint.post("/login/again")
@public
@csrf.exempt
def again() -> ResponseReturnValue:
    """Open a new session for the person whose form is on the screen. Only our own script can send the header."""
    if not request.headers.get("X-Guicheng-Fetch"):
        raise Forbidden("请在原来的页面上重新登录。", code="csrf")
    token, refusal, _ = _open(request.form.get("login", "")[:100], request.form.get("password", ""), only=request.form.get("person", ""))
    if token is None:
        raise LoginRequired(refusal)
    answer = make_response(jsonify({"csrf": token.csrf}))
    csrf.set_cookie(answer, COOKIE, token.token)
    return answer


@blueprint.post("/logout")
def sign_out() -> ResponseReturnValue:
    with writing() as connection:
        sessions.close_session(connection, token=request.cookies.get(COOKIE, ""))
        _audit(connection, actor=g.actor, action="退出登录")
    answer = make_response(redirect(url_for("login.page"), 303))
    forget(answer)
    return answer


def forget(answer: Response) -> None:
    """Take the session's cookie away."""
    answer.delete_cookie(COOKIE, path=current_app.config["SESSION_COOKIE_PATH"])


def _open(login: str, password: str, *, only: str = "") -> tuple[sessions.OpenSession | None, str, bool]:
    """A session, or why not. The count of wrong tries is committed either way."""
    with writing() as connection:
        result = passwords.sign_in(connection, login=login, password=password, at=now())
        if result.account_id is None:
            _failed(connection, login, result.refusal or passwords.WRONG)
            return None, result.refusal or passwords.WRONG, False
        actor = actors.load_actor(connection, result.account_id, None, legal_date(now()))
        if only and actor.person_id != UUID(only):
            return None, "这张页面不是您填的，请用原来的账号登录。", False
        opened = sessions.open_session(
            connection, account_id=result.account_id, post_id=None, agent=request.user_agent.string, at=now(),
        )
        _audit(connection, actor=actor, action="登录")
    return opened, "", result.must_change


def _audit(connection: Connection, *, actor: actors.Actor, action: str) -> None:
    audit.append(
        connection, chain=audit.chain_of(actor), at=now(), actor_id=actor.person_id, actor_name=actor.name, action=action, object="账号",
        detail={"network": request.remote_addr or ""},
    )


def _failed(connection: Connection, login: str, refusal: str) -> None:
    """A failed try is on record; what was typed is kept only where it is an account's name, for it may be a password."""
    found = actors.find_actor_by_login(connection, login=login.strip().lower(), on=legal_date(now()))
    audit.note(
        connection, actor=found, at=now(), action="登录失败", object="账号", network=request.remote_addr or "", detail={"known": found is not None, "why": refusal},
    )


def _page(*, login: str = "", refusal: str = "") -> str:
    demo = []
    if application().settings.environment == "demo":
        with reading() as connection:
            demo = [{**row, "password": DEMO_PASSWORD} for row in demo_logins.listed(connection, on=legal_date(now()))]
    return render_template("login/page.html", login=login, refusal=refusal, next=request.values.get("next", ""), demo=demo)


def _target() -> str:
    """Where the reader wanted to go: a path of ours, else the desk."""
    wanted = request.values.get("next", "")
    if not wanted.startswith("/") or wanted.startswith(("//", "/\\")) or "\\" in wanted:
        return url_for("desk.page")
    return request.script_root + wanted
