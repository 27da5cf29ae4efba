"""整卷: the whole case as one PDF, made by the worker and offered in a notice when it is ready."""
from __future__ import annotations

from urllib.parse import quote

from flask import Blueprint, render_template, send_file
from flask.typing import ResponseReturnValue

from engine.runtime import whole_file
from engine.web.context import actor, application, identifier, now

blueprint = Blueprint("case_file", __name__)


@blueprint.get("/cases/<case_id>/file.pdf")
def whole(case_id: str) -> ResponseReturnValue:
    """The newest whole file; while it is being made, a page that looks again."""
    id = identifier(case_id, "案件")
    made = whole_file.request_file(application(), actor=actor(), case_id=id, at=now())
    if made.sm3 is None:
        return render_template("case/file_wait.html", case_id=id, made=made), 202
    answer = send_file(application().blobs.path(made.sm3), mimetype="application/pdf", conditional=True)
    answer.headers["Content-Disposition"] = f"inline; filename*=UTF-8''{quote(made.title)}.pdf"
    return answer
