"""A draft: template, snapshot and verification code. A redo of the same node replaces the draft that is there."""
from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, literal, select
from sqlalchemy import Uuid as UUIDType
from sqlalchemy import case as case_when
from sqlalchemy.dialects.postgresql import insert

from engine.documents.compose import compose
from engine.documents.pieces import included, pieces_for
from engine.documents.queries import lock_document, snapshot_of
from engine.documents.services import Services
from engine.documents.template import Template, parse_template
from engine.documents.units import authority, facts_of, lineage
from engine.kernel.errors import Conflict, NotFound
from engine.kernel.ids import new_id
from engine.kernel.names import pack_of
from engine.storage.tables.cases import case_file
from engine.storage.tables.documents import document, document_version

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
    act_id: UUID | None = None, actor_id: UUID | None = None, actor_name: str = "", case: Mapping[str, Any] | None = None,
    pieces: Mapping[str, UUID] | None = None, title: str = "",
) -> Drafted:
    """Write a draft in the caller's transaction; its preview is rendered by a job.

    ``key`` is instance:node:template. ``data`` are the form's answers, ``opinions`` dicts with node, title, person, post,
    words, date and person_id, ``case`` the case's row where the caller has it, ``pieces``
    the versions of the pieces that the template may include, by name; those it does include are kept with the document,
    ``title`` what it is called when that is not its template's title. Raises Conflict when the key's document is already issued, Invalid when the template can't be filled.
    """
    parsed = read_template(app, definition_id=definition_id, name=template, pieces=pieces or {})
    kept = {name: str((pieces or {})[name]) for name in included(app.library.definition(definition_id).content, pack=pack_of(template))}
    case = case or _case(connection, case_id)
    content = _content(connection, case, data, opinions) | ({"pieces": kept} if kept else {})
    compose(parsed, snapshot_of(content, number=None, today=None), check_code="", verify_url="")
    values = {
        "case_id": case_id, "instance_id": instance_id, "act_id": act_id, "template": template, "definition_id": definition_id,
        "title": title or parsed.title, "data": content, "unit_id": case["unit_id"], "district_id": case["district_id"], "updated_at": at,
    }
    drafted = _write(connection, key, values, actor_id=actor_id, actor_name=actor_name, at=at)
    defer_preview(app, connection, drafted.id, drafted.rev)
    return drafted


def defer_preview(app: Services, connection: Connection, document_id: UUID, rev: int) -> None:
    """Queue the rendering of a draft's revision."""
    app.jobs.defer(connection, RENDER_DRAFT, queueing_lock=f"document:{document_id}:{rev}:draft", document_id=str(document_id))


def template_of(app: Services, row: Row[Any]) -> Template:
    """The template version that a document is pinned to."""
    pieces = {name: UUID(id) for name, id in (row.data.get("pieces") or {}).items()}
    return read_template(app, definition_id=row.definition_id, name=row.template, pieces=pieces)


def read_template(app: Services, *, definition_id: UUID, name: str, pieces: Mapping[str, UUID]) -> Template:
    """The version ``definition_id`` of a template with the pieces it includes, in the versions that ``pieces`` gives by name."""
    content = app.library.definition(definition_id).content
    found = pieces_for(content, pack=pack_of(name), find=lambda piece: app.library.definition(pieces[piece]).content if piece in pieces else None)
    return parse_template(content, name=name, pieces=found)


def draft_blocks(app: Services, connection: Connection, *, document_id: UUID) -> dict[str, str]:
    """The correctable paragraphs of a document and their text as it stands."""
    row = lock_document(connection, document_id)
    composed = compose(template_of(app, row), snapshot_of(row.data, number=row.number, today=None), check_code="", verify_url="")
    return dict(composed.blocks)


def _case(connection: Connection, case_id: UUID) -> Mapping[str, Any]:
    found = connection.execute(select(case_file).where(case_file.c.id == case_id)).mappings().one_or_none()
    if found is None:
        raise NotFound("没有这个案件。")
    return dict(found)


def _content(connection: Connection, case: Mapping[str, Any], data: Mapping[str, Any], opinions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    rows = lineage(connection, case["unit_id"])
    return {
        "data": dict(data), "opinions": [dict(opinion) for opinion in opinions], "blocks": {},
        "case": {"id": str(case["id"])} | {name: case[name] for name in ("kind", "number", "title", "subject", "address")},
        "unit": facts_of(authority(rows)), "handling_unit": facts_of(rows[0]),
    }


def _write(
    connection: Connection, key: str, values: Mapping[str, Any], *, actor_id: UUID | None, actor_name: str, at: datetime
) -> Drafted:
    """Document and entry of its history in one statement; a draft with this key is written over as its next revision."""
    fresh = new_id()
    made = insert(document).values(
        id=fresh, key=key, state="draft", check_code=new_check_code(), created_by=actor_id, created_at=at, rev=1, rendered_rev=0, **values
    )
    written = (
        made.on_conflict_do_update(index_elements=["key"], set_={**values, "rev": document.c.rev + 1}, where=document.c.state == "draft")
        .returning(document.c.id, document.c.rev, document.c.check_code).cte("written")
    )
    entry = select(
        literal(new_id()), written.c.id, written.c.rev, case_when((written.c.rev == 1, "初稿"), else_="重拟稿"), literal(actor_id, UUIDType()),
        literal(actor_name), literal(at),
    )
    kept = insert(document_version).from_select(["id", "document_id", "rev", "title", "by_id", "by_name", "at"], entry).cte("kept")
    row = connection.execute(select(written.c.id, written.c.rev, written.c.check_code).add_cte(kept)).one_or_none()
    if row is None:
        raise Conflict(f"文书《{values['title']}》已经签发，不能重拟；请先撤回。")
    return Drafted(id=row.id, rev=row.rev, check_code=row.check_code, replaced=row.id != fresh)


def new_check_code() -> str:
    """A 核验码 such as ``7Q4K-2M9X-D3``: 10 random characters, 49 bits, none of which is easily misread."""
    code = "".join(secrets.choice(_ALPHABET) for _ in range(10))
    return f"{code[:4]}-{code[4:8]}-{code[8:]}"
