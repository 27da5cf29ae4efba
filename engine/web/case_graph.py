"""案情图谱 of a case as a tab of its page."""
from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from engine.runtime.case_graph.build import case_graph
from engine.web.context import actor, application, identifier, now, reading
from engine.web.graph_picture import WIDTH, picture

blueprint = Blueprint("case_graph", __name__)


@blueprint.get("/cases/<case_id>/graph")
def graph(case_id: str) -> ResponseReturnValue:
    """What hangs together in the case: drawn, and as a list."""
    with reading() as connection:
        found = case_graph(application(), connection, actor=actor(), case_id=identifier(case_id, "案件"), at=now())
    return render_template("case/graph.html", graph=found, drawn=picture(found) if found else None, width=WIDTH)
