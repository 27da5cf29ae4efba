"""Which seal goes on a document, and whether this person may use it on this day."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, Table, exists, literal, or_, select

from engine.documents.template import SEAL_KINDS, Template
from engine.kernel.errors import Forbidden, Invalid
from engine.storage.tables.documents import seal, seal_permission, seal_policy
from engine.storage.tables.organisation import post


@dataclass(frozen=True, kw_only=True)
class Sealer:
    """Who has a seal put on: the person of the act and the posts (unit id, post code) this person holds."""

    person_id: UUID | None
    name: str
    posts: tuple[tuple[UUID, str], ...] = ()


def choose_seal(connection: Connection, *, template: Template, unit_id: UUID, on: date, kind: str | None = None) -> Row[Any] | None:
    """The bureau's seal for a template: the kind asked for, else the bureau's policy, else the template's; None where none is due.

    Raises Invalid when the bureau has no valid seal of that kind.
    """
    wanted = kind or (template.seal and (_policy_kind(connection, template.name, unit_id, on) or template.seal))
    if not wanted:
        return None
    if wanted not in SEAL_KINDS:
        raise Invalid(f"没有这种印章：{wanted}")
    query = select(seal).where(
        seal.c.unit_id == unit_id, seal.c.kind == wanted, seal.c.state == "active", seal.c.valid_from <= on, seal.c.valid_until >= on
    )
    found = connection.execute(query.order_by(seal.c.created_at.desc()).limit(1)).first()
    if found is None:
        raise Invalid(f"办案机关在 {on} 没有有效的{SEAL_KINDS[wanted]}，请联系印章管理员。", code="seal_missing")
    return found


def require_permission(connection: Connection, *, seal_row: Row[Any], person_id: UUID | None, name: str, on: date) -> None:
    """Raise Forbidden unless the person, by name or by a post in the seal's unit, may use the seal on a day. Nobody (None) may not."""
    held = select(literal(1)).where(
        post.c.person_id == person_id, post.c.unit_id == seal_row.unit_id, post.c.code == seal_permission.c.post, *_in_force(post, on)
    )
    query = select(seal_permission.c.id).where(
        seal_permission.c.seal_id == seal_row.id, *_in_force(seal_permission, on), or_(seal_permission.c.person_id == person_id, exists(held)),
    )
    if person_id is None or connection.execute(query.limit(1)).first() is None:
        raise Forbidden(f"{name}没有使用这枚{seal_row.title}的权限，请由有权限的人签发。", code="seal_forbidden")


def _in_force(table: Table, on: date) -> tuple[ColumnElement[bool], ...]:
    return table.c.valid_from <= on, or_(table.c.valid_until.is_(None), table.c.valid_until >= on)


def sealer_of(connection: Connection, *, person_id: UUID | None, name: str, on: date) -> Sealer:
    """The person with every post held on a day; nobody (an automatic act) holds none."""
    if person_id is None:
        return Sealer(person_id=None, name=name)
    query = select(post.c.unit_id, post.c.code).where(post.c.person_id == person_id, *_in_force(post, on))
    return Sealer(person_id=person_id, name=name, posts=tuple((row.unit_id, row.code) for row in connection.execute(query)))


def seals_usable_by(connection: Connection, *, sealer: Sealer, on: date) -> list[UUID]:
    """Every unit seal that a person may use on a day."""
    rows = connection.execute(
        select(seal.c.id, seal.c.unit_id, seal_permission.c.person_id, seal_permission.c.post)
        .join(seal_permission, seal_permission.c.seal_id == seal.c.id)
        .where(
            seal.c.state == "active", seal.c.valid_from <= on, seal.c.valid_until >= on, *_in_force(seal_permission, on),
        )
    )
    usable = {
        row.id for row in rows
        if (sealer.person_id is not None and row.person_id == sealer.person_id) or (row.unit_id, row.post) in sealer.posts
    }
    return sorted(usable)


def _policy_kind(connection: Connection, template: str, unit_id: UUID, on: date) -> str | None:
    """What the bureau decided for this template, else for all (``*``); the latest decision counts."""
    query = select(seal_policy.c.seal_kind).where(
        seal_policy.c.unit_id == unit_id, seal_policy.c.template.in_((template, "*")), *_in_force(seal_policy, on),
    )
    return connection.scalar(query.order_by(seal_policy.c.template == "*", seal_policy.c.valid_from.desc()).limit(1))
