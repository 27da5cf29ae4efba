"""Issuing: number, signatures and seal are decided in the act's transaction; rendering and sealing follow as a job."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, update

from engine.documents.compose import compose, deputy_words, opinion_anchor
from engine.documents.draft import template_of
from engine.documents.numbers import give_number
from engine.documents.queries import lock_document, snapshot_of
from engine.documents.seals import personal_seals
from engine.documents.services import Services
from engine.documents.template import Template
from engine.documents.use_seal import choose_seal, require_permission
from engine.documents.versions import add_version
from engine.kernel.clock import legal_date
from engine.kernel.errors import Conflict, Invalid
from engine.kernel.ids import new_id
from engine.storage.tables.documents import document, document_signature

RENDER_AND_SEAL = "documents.render_and_seal"


@dataclass(frozen=True, kw_only=True)
class Issued:
    """An issued document; ``number`` is None when its template takes none."""

    id: UUID
    rev: int
    number: str | None
    check_code: str


def issue_document(
    app: Services, connection: Connection, *, document_id: UUID, actor_id: UUID | None, actor_name: str, at: datetime,
    opinions: Sequence[Mapping[str, Any]] | None = None, data: Mapping[str, Any] | None = None, seal_kind: str | None = None,
    act_id: UUID | None = None,
) -> Issued:
    """Issue a draft: choose and check the seal, name the signers, take the number last; all in the caller's transaction.

    ``opinions`` and ``data`` replace those of the draft when given (the opinions come in after the draft was made).
    ``seal_kind`` overrides the unit's policy. Raises Conflict when it is not a draft, Forbidden when the actor may not use
    the seal, Invalid when a seal or a required personal signature is missing.
    """
    row = lock_document(connection, document_id)
    if row.state != "draft":
        raise Conflict(f"文书《{row.title}》已经签发过了。")
    on, rev, template = legal_date(at), row.rev + 1, template_of(app, row)
    content = {**row.data, **({} if data is None else {"data": dict(data)})}
    content["opinions"] = [dict(opinion) for opinion in (row.data["opinions"] if opinions is None else opinions)]
    seal_row = choose_seal(connection, template=template, unit_id=UUID(content["unit"]["id"]), on=on, kind=seal_kind)
    if seal_row is not None:
        require_permission(connection, seal_row=seal_row, person_id=actor_id, name=actor_name, on=on)
    personal = _personal(connection, template, content["opinions"], on)
    _check_anchors(template, content, seal_row, personal, on)
    _write_signatures(connection, row, rev, personal, seal_row, actor_id, actor_name, at)
    number = None
    if template.number:
        rule = app.catalogue.number(template.number)
        number = give_number(connection, rule=rule, unit_id=row.unit_id, at=at, case_id=row.case_id, document_id=row.id)
    connection.execute(update(document).where(document.c.id == row.id).values(
        state="issued", data=content, number=number.text if number else None, number_id=number.id if number else None, rev=rev,
        issued_at=at, updated_at=at, act_id=act_id or row.act_id,
    ))
    add_version(connection, document_id=row.id, rev=rev, title="签发稿", by_id=actor_id, by_name=actor_name, at=at)
    app.jobs.defer(connection, RENDER_AND_SEAL, queueing_lock=f"document:{row.id}:{rev}", document_id=str(row.id))
    return Issued(id=row.id, rev=rev, number=number.text if number else None, check_code=row.check_code)


@dataclass(frozen=True, kw_only=True)
class _Signer:
    anchor: str
    person_id: UUID
    name: str
    seal: Row[Any]


def _personal(connection: Connection, template: Template, opinions: list[dict[str, Any]], on: date) -> list[_Signer]:
    """Who signs in person, in the order of the opinions; an opinion that is not signed is marked so and prints its name in type."""
    optional = {spec.anchor for spec in template.signatures if not spec.required}
    anchors = [opinion_anchor(template, tuple(opinions), index) for index in range(len(opinions))]
    people = [UUID(str(opinion["person_id"])) if opinion.get("person_id") else None for opinion in opinions]
    wanted = {person for anchor, person in zip(anchors, people, strict=True) if anchor and person}
    seals = personal_seals(connection, person_ids=wanted, on=on)
    signers, missing = [], []
    for opinion, anchor, person in zip(opinions, anchors, people, strict=True):
        found = seals.get(person) if anchor and person else None
        opinion["signed"] = found is not None
        if anchor and person and found is not None:
            signers.append(_Signer(anchor=anchor, person_id=person, name=f"{opinion.get('person', '')}{deputy_words(opinion)}", seal=found))
        elif anchor and anchor not in optional:
            missing.append(str(opinion.get("person", "")))
    if missing:
        names = "、".join(dict.fromkeys(missing))
        raise Invalid(f"{names}还没有有效的个人签名，请本人或印章管理员先办理。", code="signature_missing")
    return signers


def _check_anchors(template: Template, content: Mapping[str, Any], seal_row: Row[Any] | None, personal: list[_Signer], on: date) -> None:
    """A seal without a place would be found out only by the job; find it out while the act can still be refused."""
    composed = compose(template, snapshot_of(content, number="", today=on), check_code="", verify_url="")
    wanted = [signer.anchor for signer in personal] + (["seal"] if seal_row is not None else [])
    missing = [anchor for anchor in wanted if anchor not in composed.anchors]
    if missing:
        raise Invalid(f"文书《{template.title}》的模板没有给出落章位置：{'、'.join(missing)}", code="anchor_missing")


def _write_signatures(
    connection: Connection, row: Row[Any], rev: int, personal: list[_Signer], seal_row: Row[Any] | None, actor_id: UUID | None,
    actor_name: str, at: datetime,
) -> None:
    rows: list[dict[str, Any]] = [
        {"kind": "personal", "anchor": signer.anchor, "seal": signer.seal, "signer_id": signer.person_id, "signer_name": signer.name}
        for signer in personal
    ]
    if seal_row is not None:
        rows.append({"kind": "unit", "anchor": "seal", "seal": seal_row, "signer_id": actor_id, "signer_name": actor_name})
    shared = {"document_id": row.id, "rev": rev, "at": at}
    ids = sorted(new_id() for _ in rows)  # the order in which they sign, also within one millisecond
    made = [
        {"id": id, "seal_id": (used := values.pop("seal")).id, "image_sm3": used.image_sm3, **shared, **values}
        for id, values in zip(ids, rows, strict=True)
    ]
    if made:
        connection.execute(document_signature.insert().values(made))
