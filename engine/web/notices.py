"""通知: what came for me; the bell asks for its count."""
from __future__ import annotations

from datetime import datetime

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from engine.access import notices
from engine.kernel.errors import NotFound
from engine.runtime.message_rules import answer_message, answers_to
from engine.runtime.queries.pages import decode, encode
from engine.storage.tables.organisation import notice
from engine.web.answers import done
from engine.web.context import actor, identifier, now, reading, writing

blueprint = Blueprint("notices", __name__)
SIZE = 30
SHOWN = {"warn": True, "system": False}


@blueprint.get("/notices")
def page() -> ResponseReturnValue:
    show = request.args.get("show", "")
    unread_only = show == "unread"
    before = None
    if request.args.get("after"):
        at, id = decode(request.args["after"], length=2)
        before = (datetime.fromisoformat(str(at)), identifier(str(id)))
    with reading() as connection:
        rows = notices.list_notices(connection, person_id=actor().person_id, unread_only=unread_only, warnings=SHOWN.get(show), before=before, limit=SIZE + 1)
        answers = answers_to(connection, notice_ids=[row.id for row in rows])
    shown = rows[:SIZE]
    following = encode((shown[-1].at.isoformat(), shown[-1].id)) if len(rows) > SIZE else None
    return render_template("notices/page.html", rows=shown, following=following, show=show, answers=answers, later=before is not None)


@blueprint.get("/notices/badge")
def badge() -> ResponseReturnValue:
    return render_template("notices/badge.html")


@blueprint.get("/notices/<notice_id>")
def follow(notice_id: str) -> ResponseReturnValue:
    """Mark it read and go where it leads."""
    id = identifier(notice_id, "通知")
    with writing() as connection:
        row = connection.execute(select(notice.c.link, notice.c.case_id).where(notice.c.id == id, notice.c.person_id == actor().person_id)).one_or_none()
        if row is None:
            raise NotFound("没有这条通知。")
        notices.mark_read(connection, person_id=actor().person_id, at=now(), ids=[id])
    if row.link.startswith("/") and not row.link.startswith("//"):
        return redirect(request.script_root + row.link)
    return redirect(url_for("case_page.case", case_id=row.case_id) if row.case_id else url_for("notices.page"))


@blueprint.post("/notices/<notice_id>/feedback")
def feedback(notice_id: str) -> ResponseReturnValue:
    """Answer a message that a rule has sent."""
    with writing() as connection:
        answer_message(connection, actor=actor(), notice_id=identifier(notice_id, "通知"), words=request.form.get("feedback", ""), at=now())
    return done(url_for("notices.page"), "已反馈。")


@blueprint.post("/notices/read")
def read() -> ResponseReturnValue:
    with writing() as connection:
        count = notices.mark_read(connection, person_id=actor().person_id, at=now())
    return done(url_for("notices.page"), f"{count} 条已标为已读。" if count else "")
