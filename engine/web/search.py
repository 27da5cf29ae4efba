"""搜索: one box over cases, records, documents and parties, by rights; what is cut off is said."""
from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup, escape

from engine.registers.catalogue import registers_of
from engine.runtime.queries import search as query
from engine.storage.bounded import bounded
from engine.web.context import actor, application

blueprint = Blueprint("search", __name__)
KINDS = {"": "全部", "cases": "案件", "records": "台账", "documents": "文书", "parties": "当事人"}


@blueprint.get("/search")
def page() -> ResponseReturnValue:
    asked = request.args.get("q", "").strip()[:200]
    only = request.args.get("in", "")
    only = only if only in KINDS else ""
    nothing = query.Hits(rows=[], more=False)
    with bounded(application().db) as connection:
        rows, more = query.found(connection, actor=actor(), query=asked) if only in ("", "cases") else ([], False)
        if len(rows) == 1 and rows[0].number == asked:
            return redirect(url_for("case_page.case", case_id=rows[0].id))
        groups = {
            "records": query.records(connection, actor=actor(), query=asked, registers=registers_of(application().library)) if only in ("", "records") else nothing,
            "documents": query.documents(connection, actor=actor(), query=asked) if only in ("", "documents") else nothing,
            "parties": query.parties(connection, actor=actor(), query=asked) if only in ("", "parties") else nothing,
        }
    titles = {name: kind.title for pack in application().catalogue.packs.values() for name, kind in pack.kinds.items()}
    return render_template("search/page.html", query=asked, rows=rows, more=more, kinds=titles, groups=groups, only=only, offered=KINDS, marked=lambda text: marked(text, asked))


def marked(text: str, asked: str) -> Markup:
    """``text`` with the words of the query marked, whatever their width or case."""
    places: set[int] = set()
    folded = "".join(one if len(one) == 1 else text[place] for place, one in enumerate(query.words_of(sign)[0] if sign.strip() else " " for sign in text))
    for word in query.words_of(asked):
        start = folded.find(word)
        while start >= 0:
            places.update(range(start, start + len(word)))
            start = folded.find(word, start + 1)
    html = Markup("")
    for place, sign in enumerate(text):
        opens, closes = place in places and place - 1 not in places, place in places and place + 1 not in places
        html += (Markup("<mark>") if opens else "") + escape(sign) + (Markup("</mark>") if closes else "")
    return html
