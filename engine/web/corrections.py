"""更正: the page on which somebody changes, or takes out, what they submitted in a step that is done."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from engine.form_filling.live import live_html
from engine.form_filling.render import render_form
from engine.kernel.errors import Conflict, Invalid
from engine.runtime.correct_submission import Correction, context_of, correct_submission, find_correction, versions_of
from engine.runtime.queries import case_page
from engine.web.answers import done
from engine.web.context import actor, application, identifier, new_key, now, reading, sent_key
from engine.web.task_form import addresses

blueprint = Blueprint("corrections", __name__)


def _found(connection: Connection, id: UUID) -> Correction:
    """Raises Conflict with the reason where it can't be corrected."""
    found = find_correction(application(), connection, actor=actor(), submission_id=id, at=now())
    if isinstance(found, str):
        raise Conflict(found)
    return found


@blueprint.get("/submissions/<submission_id>/correct")
def page(submission_id: str) -> ResponseReturnValue:
    """The form as it was submitted; with ``from`` as an earlier version of it read."""
    return _page(identifier(submission_id, "表单"))


def _page(id: UUID, *, sent: Mapping[str, Any] | None = None, errors: Mapping[str, str] | None = None) -> str:
    with reading() as connection:
        found = _found(connection, id)
        versions = versions_of(application(), connection, found=found)
        chosen = next((one for one in versions if str(one["id"]) == request.args.get("from")), None)
        shown = sent if sent is not None else {**found.data, **_open_part(found, chosen["data"])} if chosen else found.data
        context = context_of(application(), connection, actor=actor(), found=found, at=now(), url=addresses("corrections.live", submission_id=id))
        people = case_page.people(connection, ids=[UUID(str(shown[name])) for name, one in found.form.fields.items() if one.kind == "person" and shown.get(name)])
        context = replace(context, person=people.get)
        html = render_form(found.form, data=shown, rights=found.rights, errors=dict(errors or {}), context=context)
    return render_template(
        "case/correct.html", found=found, html=html, errors=errors or {}, versions=versions, chosen=chosen, key=new_key(), drop_key=new_key(), reason=request.form.get("reason", ""),
    )


def _open_part(found: Correction, data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: data.get(name) for name in found.fields}


@blueprint.post("/submissions/<submission_id>/correct/live")
def live(submission_id: str) -> ResponseReturnValue:
    """The groups of the form after a field changed."""
    id = identifier(submission_id, "表单")
    with reading() as connection:
        found = _found(connection, id)
        context = context_of(application(), connection, actor=actor(), found=found, at=now(), url=addresses("corrections.live", submission_id=id))
        return live_html(found.form, posted=request.form, rights=found.rights, context=context)


@blueprint.post("/submissions/<submission_id>/correct")
def correct(submission_id: str) -> ResponseReturnValue:
    id = identifier(submission_id, "表单")
    with reading() as connection:
        found = _found(connection, id)
    data = found.form.read_html(request.form)
    try:
        result = correct_submission(
            application(), actor=actor(), submission_id=id, data=data, reason=request.form.get("reason", ""), key=sent_key(), at=now(), form_hash=request.form.get("form_hash") or None,
        )
    except Invalid as error:
        if not error.fields:
            raise
        return _page(id, sent={**found.data, **_open_part(found, data)}, errors=error.fields), 422
    return done(url_for("case_page.case", case_id=result.case_id), "已更正，原来填的留在“表单”里。")


@blueprint.post("/submissions/<submission_id>/take-out")
def take_out(submission_id: str) -> ResponseReturnValue:
    """Delete what was submitted, as far as it may be corrected."""
    result = correct_submission(
        application(), actor=actor(), submission_id=identifier(submission_id, "表单"), data=None, reason=request.form.get("reason", ""), key=sent_key(), at=now(),
    )
    return done(url_for("case_page.case", case_id=result.case_id), "已删除，原来填的留在“表单”里，可以再恢复。")
