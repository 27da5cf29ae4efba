"""Tokens for programs that act for me over the API: made here, shown once, ended here."""
from __future__ import annotations

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.access import audit, tokens
from engine.kernel.errors import Invalid
from engine.web.answers import done
from engine.web.confirm import sensitive
from engine.web.context import actor, identifier, now, reading, writing

blueprint = Blueprint("tokens", __name__)


@blueprint.get("/me/tokens")
def page() -> ResponseReturnValue:
    return _page()


@blueprint.post("/me/tokens")
@sensitive
def create() -> ResponseReturnValue:
    title = request.form.get("title", "")
    try:
        with writing() as connection:
            _, token = tokens.create_token(
                connection, account_id=actor().account_id, post_id=actor().post_id, title=title, days=request.form.get("days", 0, type=int), at=now(),
            )
            audit.append(
                connection, chain=audit.chain_of(actor()), at=now(), actor_id=actor().person_id, actor_name=actor().name, action="token.create",
                object=title, detail={},
            )
    except Invalid as error:
        return _page(errors=error.fields, title=title), 422
    return _page(made=token)


@blueprint.post("/me/tokens/<token_id>/revoke")
def revoke(token_id: str) -> ResponseReturnValue:
    with writing() as connection:
        tokens.revoke_token(connection, account_id=actor().account_id, token_id=identifier(token_id, "令牌"), at=now())
    return done(url_for("tokens.page"), "令牌已停用，用它的程序从现在起不能再办理。")


def _page(**values: object) -> str:
    with reading() as connection:
        rows = tokens.tokens_of(connection, account_id=actor().account_id)
    return render_template("me/tokens.html", **{"tokens": rows, "errors": {}, "title": "", "made": "", **values})
