"""A draft: template, snapshot and verification code. A redo of the same node replaces the draft that is there."""
from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, insert, select, update

from engine.documents.compose import compose
from engine.documents.queries import lock_document, snapshot_of
from engine.documents.services import Services
from engine.documents.template import Template, parse_template
from engine.documents.units import authority, facts_of, lineage
from engine.documents.versions import add_version
from engine.kernel.errors import Conflict, NotFound
from engine.kernel.ids import new_id
from engine.storage.tables.cases import case_file
from engine.storage.tables.documents import document

RENDER_DRAFT = "documents.render_draft"
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # without 0/O, 1/I/L, U


@dataclass(frozen=True, kw_only=True)
class Drafted:
    """A draft as it stands; ``replaced`` when a former draft of the same key was written over."""

    id: UUID
    rev: int
    check_code: str
    replaced: bool


def draft_document(
    app: Services, connection: Connection, *, key: str, template: str, definition_id: UUID, case_id: UUID,
    data: Mapping[str, Any], at: datetime, opinions: Sequence[Mapping[str, Any]] = (), instance_id: UUID | None = None,
    act_id: UUID | None = None, actor_id: UUID | None = None, actor_name: str = "",
) -> Drafted:
    """Write a draft in the caller's transaction; its preview is rendered by a job.

    ``key`` is instance:node:template. ``data`` are the form's answers, ``opinions`` dicts with node, title, person, post,
    words, date and person_id. Raises Conflict when the key's document is already issued, Invalid when the template can't be filled.
    """
    definition = app.library.definition(definition_id)
    parsed = parse_template(definition.content, name=template)
    case = connection.execute(select(case_file).where(case_file.c.id == case_id)).one_or_none()
    if case is None:
        raise NotFound("没有这个案件。")
    content = _content(connection, case, data, opinions)
    compose(parsed, snapshot_of(content, number=None, today=None), check_code="", verify_url="")
    existing = connection.execute(select(document).where(document.c.key == key).with_for_update()).one_or_none()
    values = {
        "case_id": case_id, "instance_id": instance_id, "act_id": act_id, "template": template, "definition_id": definition_id,
        "title": parsed.title, "data": content, "unit_id": case.unit_id, "district_id": case.district_id, "updated_at": at,
    }
    if existing is None:
        drafted = _insert(connection, key, values, actor_id, at)
    else:
        drafted = _replace(connection, existing, values)
    title = "重拟稿" if drafted.replaced else "初稿"
    add_version(connection, document_id=drafted.id, rev=drafted.rev, title=title, by_id=actor_id, by_name=actor_name, at=at)
    defer_preview(app, connection, drafted.id, drafted.rev)
    return drafted


def defer_preview(app: Services, connection: Connection, document_id: UUID, rev: int) -> None:
    """Queue the rendering of a draft's revision."""
    app.jobs.defer(connection, RENDER_DRAFT, queueing_lock=f"document:{document_id}:{rev}:draft", document_id=str(document_id))


def template_of(app: Services, row: Row[Any]) -> Template:
    """The template version that a document is pinned to."""
    return parse_template(app.library.definition(row.definition_id).content, name=row.template)


def draft_blocks(app: Services, connection: Connection, *, document_id: UUID) -> dict[str, str]:
    """The correctable paragraphs of a document and their text as it stands."""
    row = lock_document(connection, document_id)
    composed = compose(template_of(app, row), snapshot_of(row.data, number=row.number, today=None), check_code="", verify_url="")
    return dict(composed.blocks)


def _content(connection: Connection, case: Row[Any], data: Mapping[str, Any], opinions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    rows = lineage(connection, case.unit_id)
    return {
        "data": dict(data), "opinions": [dict(opinion) for opinion in opinions], "blocks": {},
        "case": {"id": str(case.id)} | {name: case._mapping[name] for name in ("kind", "number", "title", "subject", "address")},
        "unit": facts_of(authority(rows)), "handling_unit": facts_of(rows[0]),
    }


def _insert(connection: Connection, key: str, values: Mapping[str, Any], actor_id: UUID | None, at: datetime) -> Drafted:
    id, code = new_id(), new_check_code()
    connection.execute(insert(document).values(
        id=id, key=key, state="draft", check_code=code, created_by=actor_id, created_at=at, rev=1, rendered_rev=0, **values
    ))
    return Drafted(id=id, rev=1, check_code=code, replaced=False)


def _replace(connection: Connection, existing: Row[Any], values: Mapping[str, Any]) -> Drafted:
    if existing.state != "draft":
        raise Conflict(f"文书《{existing.title}》已经签发，不能重拟；请先撤回。")
    connection.execute(update(document).where(document.c.id == existing.id).values(rev=existing.rev + 1, **values))
    return Drafted(id=existing.id, rev=existing.rev + 1, check_code=existing.check_code, replaced=True)


def new_check_code() -> str:
    """A 核验码 such as ``7Q4K-2M9X-D3``: 10 random characters, 49 bits, none of which is easily misread."""
    code = "".join(secrets.choice(_ALPHABET) for _ in range(10))
    return f"{code[:4]}-{code[4:8]}-{code[8:]}"
