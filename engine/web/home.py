"""``/`` leads to the desk; ``/health`` says that the server answers."""
from __future__ import annotations

from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue

from engine.web.guard import public

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
def page() -> ResponseReturnValue:
    return redirect(url_for("desk.page"))


@blueprint.get("/health")
@public
def health() -> ResponseReturnValue:
    return "ok\n", 200, {"Content-Type": "text/plain; charset=utf-8"}
