"""当事人端: what was sent to a party, what it is asked, its answers. Only what is addressed to the parties one acts for."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote
from uuid import UUID

from flask import Blueprint, g, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue

from engine.access import audit, party_papers
from engine.access.actors import Actor
from engine.documents.plain_text import plain_text
from engine.documents.queries import get_document
from engine.form_filling.live import live_html
from engine.kernel.errors import AlreadyDone, Invalid, NotFound
from engine.runtime import party_step
from engine.runtime.answers import form_of_task
from engine.runtime.begin import load_machine
from engine.runtime.case_graph.build import told_graph
from engine.web import task_form
from engine.web.answers import done
from engine.web.context import application, identifier, new_key, now, reading, sent_key, writing
from engine.web.party_guard import party_user
from engine.web.task_form import Open

blueprint = Blueprint("party", __name__, url_prefix="/party")
NO_PAPER = "没有这份文书，或者它不是送给您的。"
PAPER_STATES = {"sent": ("now", "等您签收"), "served": ("ok", "已送达")}


@blueprint.get("")
def home() -> ResponseReturnValue:
    """What waits for the reader, and every paper."""
    user = party_user()
    with reading() as connection:
        steps = party_step.steps_of(connection, party_ids=list(user.parties))
        papers = party_papers.papers_of(connection, party_ids=list(user.parties))
    return render_template("party/home.html", user=user, steps=steps, papers=papers, states=PAPER_STATES)


@blueprint.get("/papers/<paper_id>")
def paper(paper_id: str) -> ResponseReturnValue:
    """One paper in plain words, with its sealed original; opening it is noted."""
    with reading() as connection:
        row, shown = _paper(connection, paper_id)
        steps = [step for step in party_step.steps_of(connection, party_ids=[row.party_id]) if row.state == "sent"]
        text, told = plain_text(application(), shown), _told(connection, row.party_id, shown.id)
    _note_reading(row, shown.title)
    return render_template("party/paper.html", paper=row, document=shown, lines=text.splitlines(), steps=steps, told=told, ready=bool(shown.sealed_sm3 or shown.pdf_sm3))


def _told(connection: Any, party_id: UUID, document_id: UUID) -> Any:
    """What the document tells its party about the case."""
    return told_graph(application(), connection, party_id=party_id, party_name=party_user().parties[party_id], document_id=document_id, at=now())


@blueprint.get("/papers/<paper_id>/pdf")
def pdf(paper_id: str) -> ResponseReturnValue:
    """The sealed original."""
    with reading() as connection:
        row, shown = _paper(connection, paper_id)
    sm3 = shown.sealed_sm3 or (shown.pdf_sm3 if shown.rendered_rev == shown.rev else None)
    if sm3 is None:
        raise NotFound("文书正在生成，通常几秒钟就好，请稍后再打开。")
    _note_reading(row, shown.title)
    answer = send_file(application().blobs.path(sm3), mimetype="application/pdf", conditional=True)
    answer.headers["Content-Disposition"] = f"inline; filename*=UTF-8''{quote(f'{shown.title}{shown.number or str()}.pdf')}"
    return answer


def _paper(connection: Any, paper_id: str) -> tuple[Any, Any]:
    row = party_papers.paper_of(connection, party_ids=list(party_user().parties), paper_id=identifier(paper_id, "文书"))
    if row is None:
        raise NotFound(NO_PAPER)
    shown = get_document(connection, row.document_id)
    if shown.state not in ("issued", "served"):
        raise NotFound("这份文书已经撤回。")
    return row, shown


def _note_reading(row: Any, title: str) -> None:
    """The first reading stands in the audit trail of the case."""
    with writing() as connection:
        if party_papers.read_paper(connection, paper_id=row.id, at=now()):
            by = party_user().acting_for(row.party_id, at=now())
            audit.append(
                connection, chain=audit.chain_of_path(row.path, at_city=row.district_id is None), at=now(), actor_id=by.person_id, actor_name=by.name,
                action="party.read", object=str(row.document_id), case_id=row.case_id, detail={"title": title, "network": request.remote_addr or ""},
            )


@blueprint.get("/tasks/<task_id>")
def step(task_id: str) -> ResponseReturnValue:
    return _step_page(identifier(task_id, "事项"))


@blueprint.post("/tasks/<task_id>/live")
def live(task_id: str) -> ResponseReturnValue:
    """The groups of the form after a field changed."""
    with reading() as connection:
        row = _step(connection, identifier(task_id, "事项"))
        if row["status"] != "open":
            raise AlreadyDone(party_step.why_closed(connection, step=row, at=now()))
        opened = _open(connection, row)
        if opened.form is None or opened.context is None:
            return ""
        return live_html(opened.form, posted=request.form, rights=opened.rights, context=opened.context)


@blueprint.post("/tasks/<task_id>/complete")
def complete(task_id: str) -> ResponseReturnValue:
    """Hand in the answers; what is wrong is shown on the same page."""
    id = identifier(task_id, "事项")
    with reading() as connection:
        row = _step(connection, id)
        form = form_of_task(application(), row, row)
    data = form.read_html(request.form) if form else {}
    try:
        party_step.complete_party_step(
            application(), actor=_actor(row), task_id=id, data=data, outcome=request.form.get("outcome", "submit"), key=sent_key(), at=now(),
            form_hash=request.form.get("form_hash") or None,
        )
    except Invalid as error:
        if not error.fields:
            raise
        return _step_page(id, sent=data, errors=error.fields), 422
    return done(url_for("party.home"), f"“{row['title']}”已经提交，办案机关收到了。")


def _actor(row: Mapping[str, Any]) -> Actor:
    return party_user().acting_for(row["party_id"], at=now())


def _step(connection: Any, task_id: UUID) -> dict[str, Any]:
    row = party_step.step_of(connection, party_ids=list(party_user().parties), task_id=task_id)
    g.actor = _actor(row)  # the shared renderer of forms asks for the one who acts
    return row


def _open(connection: Any, row: Mapping[str, Any]) -> Open:
    case = {"id": row["case_id"], "unit_id": row["unit_id"], "district_id": row["district_id"], "title": "", "subject": "", "address": "", "number": "", "state": ""}
    facts = load_machine(application(), task_form.instance_of(row), now()).facts(row["engine_id"])
    return task_form.open_form(connection, case=case, instance=task_form.instance_of(row), task=row, facts=facts, url=_addresses(row["id"]))


def _addresses(task_id: UUID) -> Any:
    """Where the parts of a party's form ask; what only officers may look up leads nowhere."""
    fixed = {"attachment": "party_files.one", "thumbnail": "party_files.thumbnail", "options": "party_files.options"}

    def url(name: str, **more: str) -> str:
        if name == "live":
            return url_for("party.live", task_id=task_id)
        if name == "upload":
            return url_for("party_files.upload", task=str(task_id), **dict[str, Any](more))
        return url_for(fixed[name], **dict[str, Any](more)) if name in fixed else ""

    return url


def _step_page(task_id: UUID, *, sent: Mapping[str, Any] | None = None, errors: Mapping[str, str] | None = None) -> str:
    with reading() as connection:
        row = _step(connection, task_id)
        closed = "" if row["status"] == "open" else party_step.why_closed(connection, step=row, at=now())
        if closed:
            return render_template("party/closed.html", step=row, words=closed)
        opened = _open(connection, row)
        shown, _ = task_form.typed(opened, sent, None)
        papers = [one for one in party_papers.papers_of(connection, party_ids=[row["party_id"]]) if str(one.document_id) == str(opened.facts.get("document_id"))]
        told = _told(connection, row["party_id"], papers[0].document_id) if papers else None
        work = {
            "task": row, "key": new_key(), "form_hash": opened.form.hash if opened.form else "", "html": task_form.html(opened, shown, errors or {}),
            **task_form.bar(opened.outcomes),
        }
    return render_template("party/step.html", work=work, papers=papers, facts=opened.facts, told=told)
