"""A message from outside opens a case: the process whose message start event names it begins, with the payload as its first answers."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from engine.access.actors import Actor
from engine.form_filling.validate import validate
from engine.kernel.errors import NotFound
from engine.kernel.ids import new_id
from engine.kernel.names import pack_of, qualify
from engine.runtime.advance import advance
from engine.runtime.answers import Answers, form_of, spread_answers
from engine.runtime.application import Application
from engine.runtime.begin import replay, request_hash
from engine.runtime.bundles import bundle_for
from engine.runtime.form_context import form_context
from engine.runtime.locate import find_act
from engine.runtime.once import once
from engine.runtime.receiving_unit import receiving_unit
from engine.runtime.secrets import seal_secrets
from engine.runtime.settle import settle
from engine.runtime.start_case import new_case, new_instance
from engine.runtime.work import ActResult, Work
from engine.storage.tables.runtime import submission


@dataclass(frozen=True, kw_only=True)
class MessageStart:
    """A message start event of a process in force."""

    message: str
    process: str
    event: str
    title: str
    form: str | None
    unit: str | None


def message_starts(app: Application) -> list[MessageStart]:
    """Every message start event in force, read once per deploy."""

    def make() -> list[MessageStart]:
        found = []
        for name in app.library.names("process"):
            for node in app.library.current("process", name).meta["nodes"].values():
                event = node.get("event") or {}
                if node["kind"] == "startEvent" and not node["scope"] and event.get("kind") == "message":
                    form = node["attributes"].get("form")
                    found.append(MessageStart(message=event["name"], process=name, event=node["id"], title=node["title"],
                                              form=qualify(form, pack_of(name)) if form else None, unit=node["attributes"].get("unit")))
        return found

    made: list[MessageStart] = app.library.derived("message_starts", make)
    return made


def find_message_start(app: Application, message: str) -> MessageStart | None:
    """The start event that listens for ``message``, or None."""
    return next((start for start in message_starts(app) if start.message == message), None)


@once
def start_on_message(
    app: Application, *, message: str, payload: Mapping[str, Any], key: str, at: datetime, actor: Actor | None = None
) -> ActResult:
    """Open a case for ``message``. ``payload`` is checked against the start event's form; ``actor`` is the calling system's account.

    Raises NotFound when no process begins with it, Invalid with one message per field, Conflict for a key used otherwise.
    """
    start = find_message_start(app, message)
    if start is None:
        raise NotFound(f"没有流程以消息“{message}”开始。")
    asked = request_hash(kind="message_start", message=message, payload=payload)
    with app.db.begin() as connection:
        earlier = find_act(connection, key)
        if earlier is not None:
            return replay(earlier, asked=asked, actor=actor)
        answers = _answers(app, connection, start, payload, actor, at)
        clean = answers.valid.data if answers.valid else dict(payload)
        kind = app.catalogue.start(start.process).kind
        case = new_case(app, connection, kind=kind, title=start.title, unit_id=receiving_unit(connection, start.unit or "", clean), actor=None, at=at)
        facts = {name: value for name, value in answers.facts.items() if value is not None}
        work = new_instance(
            app, connection, case=case, process=start.process, title=app.catalogue.start(start.process).title, actor=actor, key=key, asked=asked, at=at,
            start_event=start.event, payload=facts,
        )
        _keep(work, start, answers)
        advance(work)
        return settle(work)


def _answers(app: Application, connection: Connection, start: MessageStart, payload: Mapping[str, Any], actor: Actor | None, at: datetime) -> Answers:
    if start.form is None:
        return Answers(facts=dict(payload))
    form = form_of(app, bundle_for(app, connection, process=start.process, at=at), start.form)
    valid = validate(form, data=payload, rights={}, context=form_context(app, connection, actor=actor, form=form, at=at))
    return Answers(form=form, valid=valid, facts=valid.facts)


def _keep(work: Work, start: MessageStart, answers: Answers) -> None:
    """The payload is a submission of the start event, so that later steps show and prefill from it."""
    if answers.form is None or answers.valid is None:
        return
    work.outcome_title = start.title
    work.batch.insert(submission, {
        "id": new_id(), "case_id": work.case["id"], "instance_id": work.instance["id"], "task_id": None, "act_id": work.act_id, "node": start.event,
        "form": answers.form.name, "form_hash": answers.form.hash, "data": seal_secrets(work.app.keys, answers.valid.stored, answers.valid.secrets),
        "by_id": work.actor_id, "by_name": work.actor_name, "at": work.at,
    })
    spread_answers(work, answers.form, answers.valid)
