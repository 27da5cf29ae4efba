"""发起: what I may start, its form, and starting it; also a matter on a case that runs."""
from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any
from uuid import UUID

from flask import Blueprint, jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from engine.access.scope import require_case
from engine.form_filling.live import live_html
from engine.kernel.errors import Invalid
from engine.runtime.queries import case_page, starts
from engine.runtime.save_draft import drop_start_draft, find_start_draft, save_start_draft
from engine.runtime.start_case import FirstStep, first_step, start_case, start_matter
from engine.web import task_form
from engine.web.answers import done
from engine.web.context import actor, application, identifier, new_key, now, reading, sent_key, today, writing
from engine.web.task_acts import onward

blueprint = Blueprint("start", __name__)


@blueprint.get("/start")
def page() -> ResponseReturnValue:
    with reading() as connection:
        offers = starts.offered(connection, catalogue=application().catalogue, actor=actor(), on=today())
    offers.sort(key=lambda offer: (offer.pack_title, offer.title))
    groups = [(title, list(group)) for title, group in groupby(offers, key=lambda offer: offer.pack_title)]
    return render_template("start/page.html", groups=groups)


@blueprint.get("/start/<pack>/<name>")
def form(pack: str, name: str) -> ResponseReturnValue:
    """The first step's form; values in the address, ``f.<field>=``, stand in its fields: how a record's page asks for its change."""
    return _page(f"{pack}.{name}")


@blueprint.post("/start/<pack>/<name>")
def begin(pack: str, name: str) -> ResponseReturnValue:
    process = f"{pack}.{name}"
    data = _sent(process)
    try:
        result = start_case(application(), process=process, data=data, **_act())
    except Invalid as error:
        if not error.fields:
            raise
        _keep(process, data)
        return _page(process, sent=data, errors=error.fields, status=422)
    return onward(result, application().catalogue.start(process).title)


@blueprint.post("/start/<pack>/<name>/draft")
def draft(pack: str, name: str) -> ResponseReturnValue:
    process = f"{pack}.{name}"
    id = _keep(process, _sent(process))
    return jsonify({"draft_id": str(id), "saved": task_form.clock_time(now())})


@blueprint.post("/start/<pack>/<name>/draft/discard")
def discard(pack: str, name: str) -> ResponseReturnValue:
    """Delete what was typed and not sent."""
    start = application().catalogue.start(f"{pack}.{name}")
    with writing() as connection:
        drop_start_draft(connection, actor=actor(), process=start.process)
    return done(url_for("start.form", pack=pack, name=name), "草稿已删除。")


def _keep(process: str, data: Mapping[str, Any]) -> UUID:
    """Keep what was typed under the id that the page has had since it was opened."""
    known = request.form.get("draft_id", "")
    return save_start_draft(
        application(), actor=actor(), process=process, data={**data, task_form.OPINION: request.form.get("opinion", "")},
        draft_id=identifier(known, "草稿") if known else None, at=now(),
    )


@blueprint.post("/start/<pack>/<name>/live")
def live(pack: str, name: str) -> ResponseReturnValue:
    with reading() as connection:
        opened = _opened(connection, f"{pack}.{name}")
        if opened.form is None or opened.context is None:
            return ""
        return live_html(opened.form, posted=request.form, rights=opened.rights, context=opened.context)


@blueprint.get("/cases/<case_id>/matters/<pack>/<name>")
def matter(case_id: str, pack: str, name: str) -> ResponseReturnValue:
    """A last look before a matter starts on a case; its first step is then filled in on the case page."""
    id = identifier(case_id, "案件")
    found = application().catalogue.matter(f"{pack}.{name}")
    with reading() as connection:
        require_case(connection, actor(), id)
        head = case_page.head(connection, case_id=id)
    return render_template("start/matter.html", matter=found, head=head, pack=pack, name=name, key=new_key())


@blueprint.post("/cases/<case_id>/matters/<pack>/<name>")
def begin_matter(case_id: str, pack: str, name: str) -> ResponseReturnValue:
    process = f"{pack}.{name}"
    result = start_matter(application(), actor=actor(), case_id=identifier(case_id, "案件"), process=process, key=sent_key(), at=now())
    return onward(result, application().catalogue.matter(process).title)


def _act() -> dict[str, Any]:
    return {
        "actor": actor(), "outcome": request.form.get("outcome", "submit"), "opinion": request.form.get("opinion", ""), "key": sent_key(), "at": now(),
    }


def _first(process: str) -> FirstStep:
    return first_step(application(), actor=actor(), process=process, at=now())


def _opened(connection: Connection, process: str) -> task_form.Open:
    first = _first(process)
    pack, name = process.split(".", 1)
    return task_form.open_form(
        connection, case=None, instance=first.instance, task=first.task, facts=first.facts, url=task_form.addresses("start.live", pack=pack, name=name),
    )


def _sent(process: str) -> dict[str, Any]:
    with reading() as connection:
        opened = _opened(connection, process)
    return opened.form.read_html(request.form) if opened.form else {}


def _given(opened: task_form.Open) -> dict[str, str]:
    """Values of the address for fields that the officer may write anyway; the form checks them like typed ones."""
    fields = opened.form.fields if opened.form else {}
    asked = {name.removeprefix("f."): value for name, value in request.args.items() if name.startswith("f.")}
    return {name: value[:200] for name, value in asked.items() if name in fields and opened.rights.get(name, opened.rights.get("*")) == "write"}


def _page(process: str, *, sent: Mapping[str, Any] | None = None, errors: Mapping[str, str] | None = None, status: int = 200) -> ResponseReturnValue:
    found = find_start_draft(application(), actor=actor(), process=process)
    with reading() as connection:
        opened = _opened(connection, process)
        given = _given(opened)
        typed, opinion = task_form.typed(opened, sent, None if given else found[1] if found else None, given)
        work = {
            "html": task_form.html(opened, typed, errors or {}), "errors": errors or {}, "opinion": opinion, "key": sent_key() if sent is not None else new_key(),
            "form_hash": opened.form.hash if opened.form else "", "draft_id": str(found[0]) if found else new_key(), "saved_at": found[2] if found else None,
            **task_form.asks(connection, opened), **task_form.bar(opened.outcomes),
        }
    pack, name = process.split(".", 1)
    return render_template("start/form.html", start=application().catalogue.start(process), work=work, pack=pack, name=name), status

