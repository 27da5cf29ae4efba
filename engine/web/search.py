"""搜索: by number, party, title, address."""
from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.runtime.queries import search as query
from engine.web.context import actor, application, reading

blueprint = Blueprint("search", __name__)


@blueprint.get("/search")
def page() -> ResponseReturnValue:
    asked = request.args.get("q", "").strip()[:200]
    with reading() as connection:
        rows, more = query.found(connection, actor=actor(), query=asked)
    if len(rows) == 1 and rows[0].number == asked:
        return redirect(url_for("case_page.case", case_id=rows[0].id))
    kinds = {name: kind.title for pack in application().catalogue.packs.values() for name, kind in pack.kinds.items()}
    return render_template("search/page.html", query=asked, rows=rows, more=more, kinds=kinds)
