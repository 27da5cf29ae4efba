"""Signing in and out, and signing in again without leaving a half-filled form."""
from __future__ import annotations

from flask import Blueprint, current_app, flash, g, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask.wrappers import Response

from engine.access import rates, sessions
from engine.access.directories import read_directories
from engine.kernel.clock import legal_date
from engine.kernel.errors import Forbidden
from engine.kernel.settings import DEMO_PASSWORD
from engine.runtime.queries import demo_logins
from engine.web import csrf, entering
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
    try:
        entry = entering.by_password(login=name, password=request.form.get("password", ""))
    except rates.TooOften as error:
        return _page(login=name, refusal=error.message), error.status, {"Retry-After": str(error.details["retry_after"])}
    return answer(entry, login=name)


@blueprint.post("/login/second")
@public
def second() -> ResponseReturnValue:
    """The second factor that the password asked for."""
    try:
        entry = entering.by_second(token=request.form.get("step", ""), code=request.form.get("code", "")[:60])
    except rates.TooOften as error:
        return _page(refusal=error.message), error.status
    return answer(entry)


def answer(entry: entering.Entry, *, login: str = "", wanted: str | None = None) -> ResponseReturnValue:
    """Where a try leads: into the platform (to ``wanted``), to the second factor, or back to the page with the refusal."""
    if entry.opened is None and entry.owed:
        refusal = "" if request.endpoint != "login.second" else entry.refusal
        return render_template("login/second.html", step=entry.owed, refusal=refusal, next=_wanted(wanted)), 422 if refusal else 200
    if entry.opened is None:
        return _page(login=login, refusal=entry.refusal), entry.status
    if entry.opened.ended:
        flash(f"您的账号同时登录的地方太多，最早的 {entry.opened.ended} 处已退出。", "ok")
    reply = make_response(redirect(url_for("me.password") if entry.must_change else _target(wanted), 303))
    csrf.set_cookie(reply, COOKIE, entry.opened.token)
    return reply


@blueprint.post("/login/again")
@public
@csrf.exempt
def again() -> ResponseReturnValue:
    """Open a new session for the person whose form is on the screen. Only our own script can send the header."""
    if not request.headers.get("X-Guicheng-Fetch"):
        raise Forbidden("请在原来的页面上重新登录。", code="csrf")
    form = request.form
    entry = entering.by_password(
        login=form.get("login", "")[:100], password=form.get("password", ""), code=form.get("code", "")[:60], only=form.get("person", "")[:60] or "-",
    )
    if entry.opened is None:
        raise LoginRequired(entry.refusal)
    reply = make_response(jsonify({"csrf": entry.opened.csrf}))
    csrf.set_cookie(reply, COOKIE, entry.opened.token)
    return reply


@blueprint.post("/logout")
def sign_out() -> ResponseReturnValue:
    with writing() as connection:
        sessions.close_session(connection, token=request.cookies.get(COOKIE, ""))
        entering.note(connection, actor=g.actor, action="退出登录")
    answer = make_response(redirect(url_for("login.page"), 303))
    forget(answer)
    return answer


def forget(answer: Response) -> None:
    """Take the session's cookie away."""
    answer.delete_cookie(COOKIE, path=current_app.config["SESSION_COOKIE_PATH"])


def _page(*, login: str = "", refusal: str = "") -> str:
    demo = []
    if application().settings.environment == "demo":
        with reading() as connection:
            demo = [{**row, "password": DEMO_PASSWORD} for row in demo_logins.listed(connection, on=legal_date(now()))]
    rules = entering.policy()
    house = read_directories(application().settings.data_dir, application().keys).openid
    return render_template(
        "login/page.html", login=login, refusal=refusal, next=request.values.get("next", ""), demo=demo, policy=rules, openid=house.title if house else "",
    )


def _wanted(given: str | None) -> str:
    return request.values.get("next", "") if given is None else given


def _target(given: str | None = None) -> str:
    """Where the reader wanted to go: a path of ours, else the desk."""
    wanted = _wanted(given)
    if not wanted.startswith("/") or wanted.startswith(("//", "/\\")) or "\\" in wanted or not wanted.isprintable():
        return url_for("desk.page")
    return request.script_root + wanted
