"""The form of an open step: what the node offers, what was typed so far, what earlier steps said."""
from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import request, url_for
from markupsafe import Markup
from sqlalchemy import Connection

from engine.access.phrases import phrases_of
from engine.form_filling.context import FormContext
from engine.form_filling.model import Form
from engine.form_filling.prefill import initial_data
from engine.form_filling.render import render_form
from engine.kernel.clock import SHANGHAI
from engine.kernel.errors import AlreadyDone
from engine.runtime.allowed import allowed_acts
from engine.runtime.answers import form_of, form_of_task
from engine.runtime.begin import load_machine
from engine.runtime.certified import HOW, certificates_asked, lacking, told
from engine.runtime.form_context import form_context
from engine.runtime.form_grants import narrowed, readable, reading_rights
from engine.runtime.nodes import Outcome, node_of, outcomes_of, process_of, rights_of, shown_nodes
from engine.runtime.queries import case_page, submissions
from engine.web.context import actor, application, new_key, now, today

OPINION = "$opinion"
OWN_IDS = re.compile(r"""( (?:id|for|aria-labelledby|aria-describedby)="|href="#)([a-z])""")
RECENTLY = timedelta(minutes=30)


@dataclass(frozen=True, kw_only=True)
class Open:
    """A step that is being filled in. ``task`` and ``instance`` are rows, ``facts`` what the process knows there."""

    form: Form | None
    node: Any
    rights: Mapping[str, Any]
    facts: Mapping[str, Any]
    outcomes: list[Outcome]
    context: FormContext | None


def instance_of(task: Mapping[str, Any]) -> dict[str, Any]:
    """The instance that an open step belongs to, from the step's row on the case page."""
    return {"id": task["instance_id"], "bundle_id": task["bundle_id"], "process": task["instance_process"], "state": task["state"]}


def open_form(
    connection: Connection, *, case: Mapping[str, Any] | None, instance: Mapping[str, Any], task: Mapping[str, Any], facts: Mapping[str, Any],
    url: Callable[..., str],
) -> Open:
    """Form, rights, buttons and context of a step as its case is pinned."""
    app = application()
    node = node_of(app, dict(instance), dict(task))
    form = form_of_task(app, instance, task)
    context = None
    if form is not None:
        context = form_context(
            app, connection, actor=actor(), form=form, at=now(), case=dict(case) if case else None, instance_id=instance["id"],
            task=dict(task), facts=facts, url=url, fresh=node.attributes.get("fresh") == "true",
        )
    rights = narrowed(form, actor(), rights_of(node, list(form.fields))) if form else {}
    return Open(form=form, node=node, rights=rights, facts=facts, outcomes=outcomes_of(node, facts), context=context)


def addresses(live: str, **values: Any) -> Callable[..., str]:
    """Where the form's parts ask the server; ``live`` is the endpoint of this very form."""
    fixed = {"options": "form_data.options", "people": "form_data.people", "units": "form_data.units", "cases": "form_data.cases", "records": "form_data.records", "parties": "form_data.known_parties",
             "upload": "attachments.upload", "attachment": "attachments.one", "thumbnail": "attachments.thumbnail", "phrases": "me.phrases", "locate": "places.locate", "nearest": "places.nearest"}

    def url(name: str, **more: str) -> str:
        if name == "live":
            return url_for(live, **values)
        if name == "upload" and "task_id" in values:
            more["task"] = str(values["task_id"])
        return url_for(fixed[name], **dict[str, Any](more))

    return url


def work_on(
    connection: Connection, *, case: Mapping[str, Any], task: Mapping[str, Any], sent: Mapping[str, Any] | None, errors: Mapping[str, str],
) -> dict[str, Any]:
    """Everything that the page draws for the reader's own step."""
    row = instance_of(task)
    facts = load_machine(application(), row, now()).facts(task["engine_id"])
    opened = open_form(connection, case=case, instance=row, task=task, facts=facts, url=addresses("task_acts.live", task_id=task["id"]))
    draft = case_page.drafts(connection, actor=actor(), task_id=task["id"], since=now() - RECENTLY)
    allowed = allowed_acts(application(), row, task)
    shown, opinion = typed(opened, sent, draft.data)
    return {
        "task": task,
        "key": new_key(), "return_key": new_key(), "release_key": new_key(),
        "form_hash": opened.form.hash if opened.form else "",
        "rev": draft.rev,
        "saved_at": draft.saved_at,
        "draft_url": url_for("task_acts.draft", task_id=task["id"]),
        "others": draft.others,
        "shows": _shows(connection, case=case, opened=opened, row=row),
        "html": html(opened, shown, errors),
        "errors": errors,
        "opinion": opinion,
        **asks(connection, opened),
        **bar(opened.outcomes),
        "can_return": bool(_process_targets(opened, row, task)),
        "can_release": task["mine"] and task["has_pool"],
        "can_claim": task["claimable"],
        "allowed": allowed,
        "uncertified": _uncertified(connection, row, task),
        "more": bool(allowed & {"delegate", "add_signer", "cc"}),
    }


def _uncertified(connection: Connection, row: Mapping[str, Any], task: Mapping[str, Any]) -> str:
    """What keeps the reader from doing the step, told before they fill it in; empty when nothing does."""
    kinds = certificates_asked(application(), row, task)
    why = lacking(connection, kinds=kinds, person_id=actor().person_id, on=today()) if kinds else []
    return f"这一步要由持有效{told(kinds)}的人办理，您{'；'.join(why)}。{HOW}" if why else ""


def typed(
    opened: Open, sent: Mapping[str, Any] | None, draft: Mapping[str, Any] | None, given: Mapping[str, Any] | None = None,
) -> tuple[Mapping[str, Any], str]:
    """What to show in the fields: just sent, else the draft, else ``given`` and what the platform has; and the opinion."""
    if sent is not None:
        return {name: value for name, value in sent.items() if name != OPINION}, request.form.get("opinion", "")
    if draft is not None:
        return {name: value for name, value in draft.items() if name != OPINION}, str(draft.get(OPINION) or "")
    return (initial_data(opened.form, context=opened.context, given=given) if opened.form and opened.context else {}), ""


def html(opened: Open, shown: Mapping[str, Any], errors: Mapping[str, str]) -> Markup | None:
    """The form with ``shown`` in its fields; None for a step without a form."""
    if opened.form is None or opened.context is None:
        return None
    told = {path: text for path, text in errors.items() if path != "opinion"}
    return render_form(opened.form, data=shown, rights=opened.rights, errors=told, context=opened.context)


def asks(connection: Connection, opened: Open) -> dict[str, Any]:
    """Whether the page has an opinion box of its own: unless the form has one or no button wants an opinion."""
    in_form = opened.form is not None and any(field.kind == "opinion" for field in opened.form.fields.values())
    ask = not in_form and any(outcome.opinion != "none" for outcome in opened.outcomes)
    return {"ask_opinion": ask, "phrases": phrases_of(connection, person_id=actor().person_id) if ask else []}


def bar(outcomes: list[Outcome]) -> dict[str, Any]:
    """The buttons, and what can't be undone about them."""
    final = [outcome.title for outcome in outcomes if outcome.irreversible]
    buttons = [
        {"value": outcome.value, "word": outcome.title, "kind": outcome.kind,
         "confirm": f"“{outcome.title}”后不能撤回，确定办理吗？" if outcome.irreversible else ""}
        for outcome in outcomes
    ]
    return {"buttons": buttons, "note": f"{'、'.join(final)}后不能撤回。" if final else ""}


def _process_targets(opened: Open, row: Mapping[str, Any], task: Mapping[str, Any]) -> bool:
    """Whether the diagram allows a return from here at all; the exact list is asked when the menu opens."""
    safe = set(process_of(application(), dict(row), task["process"]).targets.get(task["node"], ()))
    return bool(safe if opened.node.returns is None else safe & set(opened.node.returns))


def _shows(connection: Connection, *, case: Mapping[str, Any], opened: Open, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Earlier answers that the node wants shown, read-only."""
    if not opened.node.shows:
        return []
    latest = submissions.latest(connection, keys=application().keys, case_id=case["id"])
    wanted = [node for node in shown_nodes(opened.node, opened.facts) if node in latest]
    return [answers_block(connection, latest[node], case=case, bundle_id=row["bundle_id"], mark=f"shown{place}") for place, node in enumerate(wanted)]


def latest_block(connection: Connection, *, case: Mapping[str, Any], instances: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """What was submitted last on the case, read-only, for readers who have nothing to fill in."""
    bundles = {row["id"]: row["bundle_id"] for row in instances}
    counting = [answers for answers in submissions.latest(connection, keys=application().keys, case_id=case["id"]).values() if not answers.superseded]
    if not counting:
        return None
    newest = max(counting, key=lambda answers: (len(answers.data) > 2, answers.at))
    return answers_block(connection, newest, case=case, bundle_id=bundles[newest.instance_id], mark="latest")


def answers_block(
    connection: Connection, answers: submissions.Answers, *, case: Mapping[str, Any], bundle_id: UUID, mark: str = "",
) -> dict[str, Any]:
    """One submitted form as it reads: title, who, when, HTML whose ids start with ``mark`` so that several fit on one page."""
    app = application()
    form = form_of(app, app.library.bundle(bundle_id), answers.form)
    context = form_context(app, connection, actor=actor(), form=form, at=now(), case=dict(case), url=addresses("home.page"))
    names = case_page.people(connection, ids=_people_in(form, answers.data))
    data = readable(form, actor(), answers.data)
    context = replace(context, known=data, person=names.get)
    html = render_form(form, data=data, rights=reading_rights(form, actor()), errors={}, context=context, mode="read")
    return {"title": form.title, "by": answers.by_name, "at": answers.at, "html": _marked(html, mark), "id": answers.id}


def _marked(html: Markup, mark: str) -> Markup:
    return Markup(OWN_IDS.sub(rf"\g<1>{mark}-\g<2>", str(html))) if mark else html


def _people_in(form: Form, data: Mapping[str, Any]) -> list[UUID]:
    """Ids of the people named in ``data``, also inside rows, so that their names are read at once."""
    found: list[UUID] = []
    for name, field in form.fields.items():
        rows = data.get(name) if field.columns and isinstance(data.get(name), list) else [data]
        fields = field.columns or {name: field}
        found += [UUID(row[column]) for row in rows or [] for column, one in fields.items() if one.kind == "person" and row.get(column)]
    return found


def read_sent(place: dict[str, Any]) -> dict[str, Any]:
    """The answers in the request, as the pinned form of the task at ``place`` reads them; nothing is judged."""
    return read_with(form_of_task(application(), place, place))


def read_with(form: Form | None) -> dict[str, Any]:
    """The answers in the request as ``form`` reads them."""
    return form.read_html(request.form) if form else {}


def clock_time(at: datetime) -> str:
    """``10:42`` in Shanghai."""
    return f"{at.astimezone(SHANGHAI):%H:%M}"


def reopen(connection: Connection, *, task_id: UUID) -> Open:
    """The form of an open step of the reader's, for an exchange while they type."""
    place = case_page.task_place(connection, task_id=task_id)
    page = case_page.case_page(connection, actor=actor(), case_id=place["case_id"], by_task=True)
    found = page.task(task_id)
    if found is None or not (found["mine"] or found["claimable"]):
        raise AlreadyDone("这一步已经不在您手里，内容没有提交；已填写的内容还在本页。")
    row = instance_of(found)
    facts = load_machine(application(), row, now()).facts(found["engine_id"])
    return open_form(connection, case=page.head, instance=row, task=found, facts=facts, url=addresses("task_acts.live", task_id=task_id))
