"""数字证书登录: a challenge for this browser, answered by a UKey or by a software certificate."""
from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from engine.access import rates, sign_in_certificates
from engine.web import csrf, entering, login
from engine.web.context import application, now, writing
from engine.web.guard import public
from engine.web.own_certificates import LARGEST, roots_folder

blueprint = Blueprint("login_certificate", __name__)


@blueprint.get("/login/certificate")
@public
def page() -> ResponseReturnValue:
    try:
        return _page()
    except rates.TooOften as error:
        return login.answer(entering.Entry(refusal=error.message, status=error.status))


@blueprint.post("/login/certificate")
@public
def prove() -> ResponseReturnValue:
    try:
        rules, _ = entering.slow_down("")
    except rates.TooOften as error:
        return login.answer(entering.Entry(refusal=error.message, status=error.status))
    given = {name: request.form.get(name, "")[:LARGEST] for name in ("challenge", "certificate", "signature")}
    with writing() as connection:
        proof = sign_in_certificates.prove(
            connection, application().keys, **given, site=application().settings.public_url, browser=csrf.csrf_token(), folder=roots_folder(), at=now(),
        )
        if proof.account_id is not None:
            return login.answer(entering.enter(connection, account_id=proof.account_id, rules=rules, way="certificate"))
        entering.failed(connection, login="", why=f"证书：{proof.why}")
    return _page(refusal=proof.refusal), 422


def _page(*, refusal: str = "") -> str:
    entering.slow_down("")
    with writing() as connection:
        challenge = sign_in_certificates.new_challenge(connection, site=application().settings.public_url, browser=csrf.csrf_token(), at=now())
    return render_template("login/certificate.html", challenge=challenge, refusal=refusal, next=request.values.get("next", ""))
