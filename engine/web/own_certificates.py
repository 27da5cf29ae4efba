"""数字证书: the certificates one may sign in with, bound by their holder and stopped for good when lost."""
from __future__ import annotations

from pathlib import Path

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.access import notices, sign_in_certificates
from engine.kernel.errors import Conflict, Invalid
from engine.web import entering
from engine.web.answers import done
from engine.web.confirm import sensitive
from engine.web.context import actor, application, identifier, now, reading, writing

blueprint = Blueprint("own_certificates", __name__)
LARGEST = 20_000


def roots_folder() -> Path:
    """Where a deployment puts the roots it trusts."""
    return application().settings.data_dir / sign_in_certificates.FOLDER


@blueprint.get("/me/certificates")
def page() -> ResponseReturnValue:
    return _page()


@blueprint.post("/me/certificates")
@sensitive
def bind() -> ResponseReturnValue:
    sent = request.files.get("file")
    text = (sent.read(LARGEST).decode("ascii", "replace") if sent and sent.filename else request.form.get("certificate", ""))[:LARGEST]
    try:
        with writing() as connection:
            facts = sign_in_certificates.bind(
                connection, application().keys, account_id=actor().account_id, certificate=text, folder=roots_folder(), by_name=actor().name, at=now(),
                name=actor().name,
            )
            told = f"您的账号绑定了数字证书 {facts.serial[:16]}。如果不是您本人做的，请马上联系管理员。"
            notices.send_notices(connection, at=now(), notices=[notices.NewNotice(person_id=actor().person_id, kind="system", text=told, link=url_for("own_certificates.page"))])
            entering.note(connection, actor=actor(), action="绑定证书", detail={"serial": facts.serial, "issuer": facts.issuer})
    except (Invalid, Conflict) as error:
        return _page(error=error.message), error.status
    return done(url_for("own_certificates.page"), "已绑定，以后可以用这张证书登录。")


@blueprint.post("/me/certificates/<certificate_id>/stop")
@sensitive
def stop(certificate_id: str) -> ResponseReturnValue:
    with writing() as connection:
        sign_in_certificates.revoke(
            connection, certificate_id=identifier(certificate_id, "证书"), why=request.form.get("why", "本人停用"), at=now(), account_id=actor().account_id,
        )
        entering.note(connection, actor=actor(), action="停用证书")
    return done(url_for("own_certificates.page"), "证书已停用，不能再用它登录。")


def _page(*, error: str = "") -> str:
    with reading() as connection:
        rows = sign_in_certificates.of_account(connection, account_id=actor().account_id)
    return render_template("me/certificates.html", rows=rows, error=error)
