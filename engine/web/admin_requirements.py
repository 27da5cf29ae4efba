"""逐条要求: the table of rows with a filter by part, by who meets them and by word, and how many there are of each."""
from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from engine.web.admin_security import require_reader
from engine.web.requirement_rows import BY, counted, narrowed, topics

blueprint = Blueprint("admin_requirements", __name__)
LONGEST_WORD = 100


@blueprint.get("/admin/requirements")
def page() -> ResponseReturnValue:
    require_reader()
    topic, by, word = request.args.get("topic", ""), request.args.get("by", ""), request.args.get("q", "")[:LONGEST_WORD]
    by = by if by in BY else ""
    return render_template(
        "admin/requirements.html", by=BY, topics=topics(), asked={"topic": topic, "by": by, "q": word},
        counts=counted(narrowed(topic=topic, word=word)), found=narrowed(topic=topic, by=by, word=word),
    )
