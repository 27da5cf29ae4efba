"""整卷: the whole case as one PDF, made by the worker and offered in a notice when it is ready."""
from __future__ import annotations

import secrets
from urllib.parse import quote

from flask import Blueprint, Response, g, render_template
from flask.typing import ResponseReturnValue

from engine.documents.stamp import stamp
from engine.kernel.clock import SHANGHAI
from engine.runtime import whole_file
from engine.web.context import actor, application, identifier, now

blueprint = Blueprint("case_file", __name__)


@blueprint.get("/cases/<case_id>/file.pdf")
def whole(case_id: str) -> ResponseReturnValue:
    """The newest whole file, every page marked with who took it, when, and the number under which that stands in the trail; while it is being made, a page that looks again."""
    id = identifier(case_id, "案件")
    made = whole_file.request_file(application(), actor=actor(), case_id=id, at=now())
    if made.sm3 is None:
        return render_template("case/file_wait.html", case_id=id, made=made), 202
    return marked_copy(made, disposition="inline")


def marked_copy(made: whole_file.WholeFile, *, disposition: str) -> Response:
    """A finished whole file with this reader's mark on every page; the number stands in the trail with the download."""
    assert made.sm3 is not None
    number, at = secrets.token_hex(6).upper(), now().astimezone(SHANGHAI)
    g.trace = {"number": number, "sm3": made.sm3}
    answer = Response(stamp(application().blobs.get(made.sm3), f"{actor().name}　{at:%Y-%m-%d %H:%M:%S}　追踪号 {number}"), mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f"{disposition}; filename*=UTF-8''{quote(made.title)}.pdf"
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
