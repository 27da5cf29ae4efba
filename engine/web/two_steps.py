"""动态口令: set up with a telephone, recovery codes shown once, taken away again."""
from __future__ import annotations

import io

import segno
from flask import Blueprint, g, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from engine.access import second_factor, sessions
from engine.kernel.errors import Invalid
from engine.web import entering
from engine.web.answers import done
from engine.web.confirm import sensitive
from engine.web.context import actor, application, now, reading, writing

blueprint = Blueprint("two_steps", __name__)


@blueprint.get("/me/two-steps")
def page() -> ResponseReturnValue:
    return _page()


@blueprint.post("/me/two-steps/begin")
@sensitive
def begin() -> ResponseReturnValue:
    with writing() as connection:
        second_factor.begin(connection, application().keys, account_id=actor().account_id, at=now())
    return done(url_for("two_steps.page"))


@blueprint.post("/me/two-steps/confirm")
def confirm() -> ResponseReturnValue:
    """The first code of the telephone; the recovery codes are on the answer and nowhere else."""
    entering.slow_down("")
    try:
        with writing() as connection:
            codes = second_factor.confirm(connection, application().keys, account_id=actor().account_id, code=request.form.get("code", "")[:60], at=now())
            sessions.note_confirmed(connection, token_hash=g.session_hash, at=now(), needs="")
            entering.note(connection, actor=actor(), action="启用动态口令")
    except Invalid as error:
        return _page(error=error.fields.get("code", error.message)), 422
    g.needs = ""
    return _page(codes=codes)


@blueprint.post("/me/two-steps/codes")
@sensitive
def codes() -> ResponseReturnValue:
    with writing() as connection:
        if not second_factor.is_on(connection, account_id=actor().account_id):
            raise Invalid("请先启用动态口令。")
        fresh = second_factor.renew_recovery(connection, account_id=actor().account_id, at=now())
        entering.note(connection, actor=actor(), action="换备用码")
    return _page(codes=fresh)


@blueprint.post("/me/two-steps/remove")
@sensitive
def remove() -> ResponseReturnValue:
    rules = entering.policy()
    if rules.asks_second(rights=actor().rights, post=actor().post_code):
        raise Invalid("您的权限要求启用动态口令，不能停用。换手机请用备用码登录后联系管理员。")
    with writing() as connection:
        if second_factor.remove(connection, account_id=actor().account_id):
            entering.note(connection, actor=actor(), action="停用动态口令")
    return done(url_for("two_steps.page"), "动态口令已停用。")


def _page(*, error: str = "", codes: list[str] | None = None) -> str:
    with reading() as connection:
        standing = second_factor.standing(connection, account_id=actor().account_id)
        waiting = second_factor.waiting(connection, application().keys, account_id=actor().account_id) if standing.since is None else None
    return render_template(
        "me/two_steps.html", standing=standing, waiting=waiting, picture=_picture(waiting.address) if waiting else "", error=error, codes=codes or [], owed=bool(g.needs),
    )


def _picture(text: str) -> Markup:
    """A QR code as an SVG on the page; the secret is in no address and no file."""
    out = io.BytesIO()
    segno.make(text, error="m").save(out, kind="svg", scale=5, border=3, xmldecl=False, svgclass=None, lineclass=None, title="动态口令的二维码", light="#fff")
    return Markup(out.getvalue().decode())
