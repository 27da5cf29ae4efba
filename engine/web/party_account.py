"""Signing up and in from outside: a real-name check first, then a password; a one-time code on paper binds a party."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, cast

import orjson
from flask import Blueprint, current_app, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from engine.access import audit, party_accounts, rates
from engine.access.party_accounts import KINDS, NewAccount
from engine.access.party_papers import normal_code
from engine.access.real_name import RealName
from engine.kernel.errors import GuichengError, Invalid, TryAgain, Unavailable
from engine.kernel.settings import DEMO_PASSWORD
from engine.runtime.queries import demo_logins
from engine.web import csrf
from engine.web.answers import done
from engine.web.context import application, now, reading, writing
from engine.web.guard import public
from engine.web.party_guard import COOKIE, party_user

blueprint = Blueprint("party_account", __name__, url_prefix="/party")
PENDING = b"party.sign_up"
PATIENCE = timedelta(minutes=10)
REAL_NAME = "real_name"
AWAY = "实名核验现在没有应答，请稍后再试。填写的内容没有保存。"


@blueprint.get("/login")
@public
def page() -> ResponseReturnValue:
    if g.party_user is not None:
        return redirect(_target())
    return _sign_in_page()


@blueprint.post("/login")
@public
def sign_in() -> ResponseReturnValue:
    identifier = request.form.get("identifier", "")[:60]
    try:
        _count("sign_in")
    except GuichengError as error:
        return _sign_in_page(identifier=identifier, refusal=error.message), error.status
    with reading() as connection:
        tried = party_accounts.look_up(connection, application().keys, identifier=identifier)
    right = party_accounts.proves(tried, request.form.get("password", ""))  # no connection is held while this computes
    with writing() as connection:
        account_id, refusal = party_accounts.settle(connection, tried=tried, right=right, at=now())
        if account_id is None:
            _note(connection, "登录失败", {"known": tried.account_id is not None, "why": refusal})
    if account_id is None:
        return _sign_in_page(identifier=identifier, refusal=refusal), 422
    return _enter(account_id)


@blueprint.get("/sign-up")
@public
def sign_up() -> ResponseReturnValue:
    return render_template("party/sign_up.html", kinds=KINDS, typed={}, errors={}, next=request.args.get("next", ""))


@blueprint.post("/sign-up")
@public
def begin() -> ResponseReturnValue:
    """Judge the answers, then ask the real-name check to send its code."""
    typed = {name: request.form.get(name, "")[:100] for name in ("name", "identifier_kind", "identifier", "phone")}
    if typed["identifier_kind"] not in KINDS:
        typed["identifier_kind"] = "id_card"
    try:
        _count("sign_up")
        with reading() as connection:
            new = party_accounts.check_new(
                connection, application().keys, **typed, password=request.form.get("password", ""), again=request.form.get("again", ""),
            )
        challenge = _check().begin(name=new.name, identifier_kind=new.identifier_kind, identifier=new.identifier, phone=new.phone)
    except TryAgain:
        raise Unavailable(AWAY) from None
    except Invalid as error:
        return render_template("party/sign_up.html", kinds=KINDS, typed=typed, errors=error.fields, next=request.form.get("next", "")), 422
    except GuichengError as error:
        return render_template("party/sign_up.html", kinds=KINDS, typed=typed, errors={"name": error.message}, next=request.form.get("next", "")), error.status
    kept = {"new": asdict(new), "number": challenge.number, "at": now().isoformat()}
    pending = application().keys.encrypt(orjson.dumps(kept), PENDING).hex()
    return render_template("party/code.html", pending=pending, hint=challenge.hint, refusal="", next=request.form.get("next", ""))


@blueprint.post("/sign-up/confirm")
@public
def confirm() -> ResponseReturnValue:
    """The code from the telephone: passed, the account is there and signed in."""
    pending = request.form.get("pending", "")
    kept = _pending(pending)
    try:
        _count("sign_up")
        check = _check()
        verdict = check.confirm(kept["number"], request.form.get("code", "").strip())
    except TryAgain:
        raise Unavailable(AWAY) from None
    if not verdict.passed:
        words = f"没有通过实名核验：{verdict.reason}。"
        with writing() as connection:
            _note(connection, "实名核验没有通过", {"why": verdict.reason})
        return render_template("party/code.html", pending=pending, hint=request.form.get("hint", ""), refusal=words, next=request.form.get("next", "")), 422
    with writing() as connection:
        account_id = party_accounts.sign_up(
            connection, application().keys, new=NewAccount(**kept["new"]), checked_by=check.title, check_number=verdict.receipt, at=now(),
        )
    return _enter(account_id)


@blueprint.get("/enterprise")
def enterprise() -> ResponseReturnValue:
    return render_template("party/enterprise.html", errors={}, typed={})


@blueprint.post("/enterprise")
def bind_enterprise() -> ResponseReturnValue:
    """Act for an enterprise whose 法定代表人 the reader is, as the check says."""
    typed = {name: request.form.get(name, "").strip()[:100] for name in ("organisation", "credit_code")}
    user = party_user()
    try:
        _count("bind")
        with reading() as connection:
            _, number = party_accounts.own_number(connection, application().keys, account_id=user.account_id)
        verdict = _check().represents(name=user.name, identifier=number, **typed)
    except TryAgain:
        raise Unavailable(AWAY) from None
    bound = False
    if verdict.passed:
        with writing() as connection:
            bound = party_accounts.bind_own(
                connection, application().keys, account_id=user.account_id, identifier_kind="credit_code", identifier=typed["credit_code"], at=now(), how="representative",
            )
    if not bound:
        words = "现在没有送给这个单位的文书。" if verdict.passed else f"没有通过核验：{verdict.reason}。经办人请用纸上的签收码。"
        return render_template("party/enterprise.html", errors={"credit_code": words}, typed=typed), 422
    return done(url_for("party.home"), f"现在可以代表{typed['organisation']}办理。")


@blueprint.get("/code")
@blueprint.get("/code/<code>")
def code(code: str = "") -> ResponseReturnValue:
    """Where the QR code on the paper leads."""
    return render_template("party/bind.html", typed=code[:20], error="")


@blueprint.post("/code")
def use_code() -> ResponseReturnValue:
    """Bind the account to the party that the code on the paper names."""
    typed = request.form.get("code", "")[:40]
    try:
        _count("bind")
        with writing() as connection:
            party_id = party_accounts.use_code(connection, account_id=party_user().account_id, code=typed, at=now())
            audit.append(connection, chain=audit.PLATFORM, at=now(), actor_id=party_user().person_id, actor_name=party_user().name, action="party.bind",
                         object=str(party_id), detail={"network": request.remote_addr or "", "length": len(normal_code(typed))})
    except Invalid as error:
        with writing() as connection:
            _note(connection, "签收码不对", {"account": str(party_user().account_id), "why": error.message, "length": len(normal_code(typed))})
        return render_template("party/bind.html", typed=typed, error=error.message), 422
    return done(url_for("party.home"), "签收码正确，文书就在下面。")


@blueprint.post("/logout")
def sign_out() -> ResponseReturnValue:
    with writing() as connection:
        _note(connection, "退出登录", {"account": str(party_user().account_id)})
        party_accounts.close_session(connection, token_hash=party_user().token_hash)
    answer = make_response(redirect(url_for("party_account.page"), 303))
    answer.delete_cookie(COOKIE, path=current_app.config["SESSION_COOKIE_PATH"])
    return answer


def _note(connection: Connection, action: str, detail: Mapping[str, Any] | None = None) -> None:
    """A record about somebody outside the offices; what was typed is not kept."""
    audit.note(connection, actor=None, at=now(), action=action, object="当事人账号", network=request.remote_addr or "", detail=detail)


def _check() -> RealName:
    return cast(RealName, application().connector(REAL_NAME))


def _count(what: str) -> None:
    network = request.remote_addr or ""
    try:
        with writing() as connection:
            party_accounts.slow_down(connection, what=what, network=network, at=now())
    except party_accounts.TooOften:
        with writing() as connection:
            if rates.count(connection, kind="party.told", subject=network, at=now(), window=PATIENCE) == 1:  # once a while, not once a try
                _note(connection, "登录受限", {"what": what})
        raise


def _pending(text: str) -> dict[str, Any]:
    try:
        kept: dict[str, Any] = orjson.loads(application().keys.decrypt(bytes.fromhex(text), PENDING))
    except Exception:
        raise Invalid("这张页面已经失效，请重新注册。") from None
    if now() - datetime.fromisoformat(kept["at"]) > PATIENCE:
        raise Invalid("验证码已经过期，请重新注册。")
    return kept


def _enter(account_id: Any) -> ResponseReturnValue:
    with writing() as connection:
        token = party_accounts.open_session(connection, account_id=account_id, at=now(), agent=request.user_agent.string)
        _note(connection, "登录", {"account": str(account_id)})
    answer = make_response(redirect(_target(), 303))
    csrf.set_cookie(answer, COOKIE, token)
    return answer


def _sign_in_page(*, identifier: str = "", refusal: str = "") -> str:
    demo = []
    if application().settings.environment == "demo":
        with reading() as connection:
            demo = [{**row, "password": DEMO_PASSWORD} for row in demo_logins.listed_parties(connection, keys=application().keys)]
    return render_template("party/sign_in.html", identifier=identifier, refusal=refusal, next=request.values.get("next", ""), demo=demo)


def _target() -> str:
    """Where the reader wanted to go on the parties' side, else home."""
    wanted = request.values.get("next", "")
    if not wanted.startswith("/party") or "\\" in wanted or ".." in wanted:
        return url_for("party.home")
    return request.script_root + wanted
