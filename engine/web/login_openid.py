"""统一认证: to the provider and back."""
from __future__ import annotations

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from engine.access import openid, passwords
from engine.access.directories import read_directories
from engine.kernel.errors import NotFound
from engine.web import csrf, entering, login
from engine.web.context import application, now, reading, writing
from engine.web.guard import public

blueprint = Blueprint("login_openid", __name__)
UNKNOWN = "您在统一认证里的账号在这里没有对应的账号，请联系本单位管理员。"


@blueprint.get("/login/openid")
@public
def begin() -> ResponseReturnValue:
    entering.slow_down("")
    provider = openid.discover(_config())
    with writing() as connection:
        address = openid.begin(connection, provider, back=_back(), browser=csrf.csrf_token(), wanted=request.args.get("next", "")[:500], at=now())
    return redirect(address)


@blueprint.get("/login/openid/back")
@public
def back() -> ResponseReturnValue:
    """The provider sent the browser back: with a code, or with an error that is nobody's business but the record's."""
    rules, _ = entering.slow_down("")
    with writing() as connection:
        taken = openid.take_state(connection, state=request.args.get("state", "")[:200], at=now())
    try:
        kept = openid.require_browser(taken, csrf.csrf_token())
        if not request.args.get("code"):
            raise openid.NotProved(f"没有授权码：{request.args.get('error', '')[:60]}")
        found = openid.finish(openid.discover(_config()), code=request.args["code"][:2000], kept=kept, back=_back(), at=now())
    except openid.NotProved as error:
        with writing() as connection:
            entering.failed(connection, login="", why=error.why)
        return login.answer(entering.Entry(refusal=error.message))
    return login.answer(_enter(found, rules), wanted=kept["wanted"])


def _enter(found: str, rules: entering.Policy) -> entering.Entry:
    with reading() as connection:
        candidate = passwords.look_up(connection, login=found)
    with writing() as connection:
        if candidate.account_id is None:
            entering.failed(connection, login="", why="统一认证的账号在这里没有")
            return entering.Entry(refusal=UNKNOWN)
        return entering.go_on(connection, account_id=candidate.account_id, rules=rules, way="openid")


def _config() -> openid.OpenId:
    config = read_directories(application().settings.data_dir, application().keys).openid
    if config is None:
        raise NotFound("没有启用统一认证。")
    return config


def _back() -> str:
    return application().settings.public_url + url_for("login_openid.back").removeprefix(request.script_root)
