"""Answers of an act: checked against the pinned form, kept as a submission, spread to facts, case, records, parties."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

import orjson

from engine.access.parties import save_party_of_case
from engine.form_filling.accepted import compresses
from engine.form_filling.attachments import link_attachments
from engine.form_filling.model import Form, Right
from engine.form_filling.party_records import party_input
from engine.form_filling.validate import Validated, validate
from engine.form_filling.widgets import widget_of
from engine.kernel.errors import StaleRevision
from engine.kernel.ids import new_id
from engine.kernel.names import pack_of, qualify
from engine.packs.library import Bundle
from engine.registers.catalogue import get_register
from engine.registers.write_record import write_record
from engine.runtime.application import Application
from engine.runtime.commitments import submission_digest
from engine.runtime.compress_attachment import compress_later
from engine.runtime.form_context import form_context
from engine.runtime.nodes import Outcome, node_of, rights_of
from engine.runtime.secrets import seal_secrets
from engine.runtime.work import Work
from engine.storage.tables.runtime import submission


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What was checked and may now be kept. ``valid`` is None for a step without a form or a return that skips it."""

    form: Form | None = None
    valid: Validated | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    opinion: str = ""


def form_of(app: Application, pinned: Bundle, name: str) -> Form:
    """The form ``name`` as the bundle pins it; loaded once per version."""
    id = pinned.member("form", name)
    key = ("form", id, pinned.hash)
    if key not in app.cache:
        definition = app.library.definition(id)
        app.cache[key] = Form.load(orjson.loads(definition.content), name=name, hash=definition.hash, common=partial(_common, app, pinned))
    made: Form = app.cache[key]
    return made


def _common(app: Application, pinned: Bundle, name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = orjson.loads(app.library.definition(pinned.member("form", name)).content)
    return found


def form_of_task(app: Application, instance: Mapping[str, Any], task: Mapping[str, Any]) -> Form | None:
    """The form of a task row, as its case is pinned; None for a step without one."""
    return form_of(app, app.library.bundle(instance["bundle_id"]), task["form"]) if task["form"] else None


def check_answers(work: Work, *, data: Mapping[str, Any], outcome: Outcome, form_hash: str | None) -> Answers:
    """Validate ``data`` with the node's rights. A return or refusal needs only its opinion, so its form is not asked for."""
    assert work.task is not None and work.actor is not None
    form = form_of_task(work.app, work.instance, work.task)
    if form is None or outcome.kind == "return":
        return Answers(form=form)
    if form_hash is not None and form_hash != form.hash:
        raise StaleRevision("这张表已经换了版本，请刷新页面核对后再提交；已填写的内容仍在草稿里。")
    node = node_of(work.app, work.instance, work.task)
    context = form_context(
        work.app, work.connection, actor=work.actor, form=form, at=work.at, case=work.case, instance_id=work.instance["id"], task=work.task,
        facts=work.machine.facts(work.task["engine_id"]), outcome=outcome.value, data=data,
        fresh=node.attributes.get("fresh") == "true",
    )
    rights: dict[str, Right] = rights_of(node, list(form.fields))  # type: ignore[assignment]
    valid = validate(form, data=data, rights=rights, context=context)
    return Answers(form=form, valid=valid, facts=valid.facts, opinion=_opinion(form, valid))


def _opinion(form: Form, valid: Validated) -> str:
    return next((str(valid.data[name]) for name, one in form.fields.items() if one.kind == "opinion" and valid.data.get(name)), "")


def keep_answers(work: Work, answers: Answers) -> None:
    """Write the submission and spread what the form says goes elsewhere, all in the act's transaction."""
    if answers.form is None or answers.valid is None:
        return
    assert work.task is not None
    valid = answers.valid
    row = {
        "id": new_id(), "case_id": work.case["id"], "instance_id": work.instance["id"], "task_id": work.task["id"], "act_id": work.act_id,
        "node": work.task["node"], "form": answers.form.name, "form_hash": answers.form.hash,
        "data": seal_secrets(work.app.keys, valid.stored, valid.secrets), "by_id": work.actor_id, "by_name": work.actor_name, "at": work.at,
    }
    work.batch.insert(submission, row)
    work.digests[str(row["id"])] = submission_digest(work.app.keys, row)
    spread_answers(work, answers.form, valid)


def spread_answers(work: Work, form: Form, valid: Validated) -> None:
    """To the case's columns, the register's record, the party table; its files to the case; and to the documents of this act."""
    work.fresh_answers[form.name], work.fresh_secrets[form.name] = dict(valid.stored), tuple(valid.secrets)
    if valid.attachments and work.actor is not None and work.task is not None:
        link_attachments(work.connection, attachment_ids=valid.attachments, actor=work.actor, case_id=work.case["id"], task_id=work.task["id"])
        compress_later(work.app, work.connection, attachment_ids=_to_compress(form, valid), at=work.at)
    _spread_to_case(work, valid)
    _spread_to_records(work, form, valid.record_fields)
    _spread_to_parties(work, form, valid)


def _to_compress(form: Form, valid: Validated) -> list[UUID]:
    """Files in the fields that say ``compress``, whichever way they were uploaded."""
    return [UUID(id) for one in form.fields.values() if compresses(one) and valid.data.get(one.name) for id in widget_of(one).attachments(one, valid.data[one.name])]


def _spread_to_case(work: Work, valid: Validated) -> None:
    changes: dict[str, Any] = {name: text for name, text in valid.case_fields.items() if name in ("title", "subject", "address") and text}
    if valid.search_text:
        known = set(work.case["search"].split())
        fresh = [word for word in valid.search_text.split() if word not in known]
        changes["search"] = " ".join([work.case["search"], *fresh]).strip()[:8000]
    if changes:
        work.change_case(**changes)


def _spread_to_records(work: Work, form: Form, record_fields: Mapping[str, Any]) -> None:
    by_register: dict[str, dict[str, Any]] = {}
    for path, value in record_fields.items():
        register, _, name = path.rpartition(".")
        full = register if "." in register else qualify(register, pack_of(form.name))
        by_register.setdefault(full, {})[name] = value
    for name, values in by_register.items():
        write_case_record(work, name, values)


def write_case_record(work: Work, name: str, values: Mapping[str, Any], *, record_id: UUID | None = None, case_id: UUID | None = None) -> UUID:
    """Set ``values`` on the case's own record of register ``name``; what it held before goes into the undo list."""
    register, table = get_register(work.app.library, name)
    id = record_id or case_id or work.case["id"]
    changes = write_record(
        work.connection, register=register, table=table, record_id=id, values=values, case_id=(case_id or work.case["id"]) if register.case != "none" else None,
        unit_id=work.case["unit_id"], district_id=work.case["district_id"], keys=work.app.keys, at=work.at, by_id=work.actor_id,
        by_name=work.actor_name, act_id=work.act_id,
    )
    before = {field: pair[0] for field, pair in changes.items() if not register.fields[field].encrypt}
    if before:
        work.undo.append({"op": "record", "register": name, "id": str(id), "before": before})
    return id


def _spread_to_parties(work: Work, form: Form, valid: Validated) -> None:
    for name, value in valid.parties.items():
        given = party_input(value)
        link = save_party_of_case(
            work.connection, work.app.keys, given=given, case_id=work.case["id"], at=work.at, act_id=work.act_id,
            role=str(form.fields[name].gc.get("role", "party")), unit_id=work.case["unit_id"], district_id=work.case["district_id"],
        )
        work.undo.append({"op": "party", "id": str(link)})
