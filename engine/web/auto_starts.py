"""An operator stops an automatic start on the page of its procedure, or lets it go on."""
from __future__ import annotations

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from engine.kernel.errors import NotFound
from engine.kernel.names import is_name
from engine.runtime.steer_start import resume_start, stop_start
from engine.web.answers import done
from engine.web.context import actor, application, now

blueprint = Blueprint("auto_starts", __name__)


@blueprint.post("/processes/<pack>/<name>/starts/<event>")
def steer(pack: str, name: str, event: str) -> ResponseReturnValue:
    """Stop or resume, as the button says; a reason is needed."""
    if not (is_name(pack) and is_name(name)):
        raise NotFound("没有这个流程。")
    stop = request.form.get("what") == "stop"
    verb = stop_start if stop else resume_start
    verb(application(), actor=actor(), process=f"{pack}.{name}", event=event, reason=request.form.get("reason", ""), at=now())
    return done(url_for("processes.one", pack=pack, name=name, _anchor="h-auto"), "已停用，到时不再自动发起。" if stop else "已启用，从下一次开始。")
