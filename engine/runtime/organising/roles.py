"""Roles of one's own, who holds which role where and from when until when, and what a role may: by the security administrator."""
from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert, select, update

from engine.access.actors import RIGHTS, Actor
from engine.access.assignment import add_role_holder, end_role_holder
from engine.access.exclusive import EXCLUSIVE
from engine.access.held_grants import EVERYBODY, Grant, held_grants, read_grants
from engine.access.organisation import UNIT_KINDS, get_person
from engine.kernel.clock import legal_date
from engine.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from engine.kernel.ids import new_id
from engine.registers.catalogue import registers_of
from engine.registers.declaration import Register
from engine.registers.granted import ACTIONS, LEVELS, SCOPES
from engine.runtime.application import Application
from engine.runtime.organising.perform import SECURITY, Done, perform
from engine.runtime.queries.record_titles import title_field
from engine.storage.tables.organisation import person, role_holder
from engine.storage.tables.organising import access_grant, own_role, role_person

FUNCTIONS = {name: words for name, words in RIGHTS.items() if name not in EXCLUSIVE}
"""What a role may be given as a function; the three officers' rights are given to accounts only."""
_WORD = re.compile(r"[a-z][a-z0-9_]{1,40}")


def add_role(app: Application, *, actor: Actor, word: str, title: str, help: str, reason: str, key: str, at: datetime) -> UUID | None:
    """A role of one's own, named ``own.<word>``."""

    def do(connection: Connection) -> Done:
        if not _WORD.fullmatch(word) or not title.strip():
            raise Invalid("请填角色名称；代号用小写英文字母、数字、下划线，字母开头。", fields={"word": "例如 night_watch。"})
        name = f"own.{word}"
        if connection.scalar(select(own_role.c.id).where(own_role.c.name == name)):
            raise Conflict(f"已经有代号 {word} 的角色。")
        id = new_id()
        connection.execute(insert(own_role).values(id=id, name=name, title=title.strip(), help=help.strip(), updated_at=at))
        return Done(text=f"设角色“{title.strip()}”", result=id, detail={"role": name})

    return perform(app, actor=actor, right=SECURITY, verb="add_role", key=key, at=at, do=do, reason=reason, why_required=True)


def close_role(app: Application, *, actor: Actor, role: str, reason: str, key: str, at: datetime) -> None:
    """A role of one's own no longer gives anything."""

    def do(connection: Connection) -> Done:
        changed = connection.execute(update(own_role).where(own_role.c.name == role, own_role.c.active).values(active=False, updated_at=at).returning(own_role.c.title)).one_or_none()
        if changed is None:
            raise NotFound("没有这个自设角色，或者已经停用。")
        return Done(text=f"停用角色“{changed.title}”", detail={"role": role})

    perform(app, actor=actor, right=SECURITY, verb="close_role", key=key, at=at, do=do, reason=reason, why_required=True)


def add_holder(
    app: Application, *, actor: Actor, role: str, post_code: str, unit_kind: str, scope: str, bureau: str | None, unit_id: UUID | None, valid_from: date,
    valid_until: date | None, reason: str, key: str, at: datetime,
) -> UUID | None:
    """Whoever holds ``post_code`` in a unit of that kind (below ``unit_id``, of ``bureau``) holds the role."""

    def do(connection: Connection) -> Done:
        title = role_title(app, connection, role)
        if unit_kind not in UNIT_KINDS or not post_code:
            raise Invalid("请选岗位和单位类型。", fields={"post": "请选岗位。"})
        _require_order(valid_from, valid_until)
        with _not_for_oneself(connection, actor, valid_from, at):
            id = add_role_holder(
                connection, role=role, post_code=post_code, unit_kind=unit_kind, scope=scope, bureau=bureau, unit_id=unit_id, valid_from=valid_from,
                valid_until=valid_until, source=reason.strip(),
            )
        return Done(text=f"“{title}”由{UNIT_KINDS[unit_kind]}的 {post_code} 担任，{valid_from} 起", result=id, unit_id=unit_id, detail={"role": role, "post": post_code, "kind": unit_kind, "scope": scope, "until": str(valid_until or "")})

    return perform(app, actor=actor, right=SECURITY, verb="add_holder", key=key, at=at, do=do, reason=reason, why_required=True)


def name_holder(
    app: Application, *, actor: Actor, role: str, person_id: UUID, valid_from: date, valid_until: date | None, reason: str, key: str, at: datetime
) -> UUID | None:
    """One person holds a role of one's own by name. Raises Forbidden for oneself."""
    if person_id == actor.person_id:
        raise Forbidden("不能给自己角色，请另一位安全管理员办理。")

    def do(connection: Connection) -> Done:
        title = role_title(app, connection, role)
        if not role.startswith("own."):
            raise Invalid("业务包的角色按岗位担任，不能给到个人。请给他相应的岗位，或用自设角色。", fields={"people": "这里只用于自设角色。"})
        who = get_person(connection, person_id=person_id)
        _require_order(valid_from, valid_until)
        id = new_id()
        connection.execute(insert(role_person).values(id=id, role=role, person_id=person_id, valid_from=valid_from, valid_until=valid_until, source=reason.strip()))
        return Done(text=f"“{title}”给{who.name}，{valid_from} 起", result=id, person_id=person_id, detail={"role": role, "until": str(valid_until or "")})

    return perform(app, actor=actor, right=SECURITY, verb="add_holder", key=key, at=at, do=do, reason=reason, why_required=True)


def end_holder(app: Application, *, actor: Actor, holder_id: UUID, last_day: date, reason: str, key: str, at: datetime) -> None:
    """A post or a person no longer holds a role after ``last_day``."""

    def do(connection: Connection) -> Done:
        row = connection.execute(select(role_holder.c.role).where(role_holder.c.id == holder_id)).one_or_none()
        if row is not None:
            end_role_holder(connection, id=holder_id, last_day=last_day)
        else:
            row = connection.execute(update(role_person).where(role_person.c.id == holder_id).values(valid_until=last_day).returning(role_person.c.role)).one_or_none()
        if row is None:
            raise NotFound("没有这条角色对应。")
        return Done(text=f"“{role_title(app, connection, row.role)}”的一条对应到 {last_day} 结束", detail={"role": row.role, "holder": str(holder_id)})

    perform(app, actor=actor, right=SECURITY, verb="end_holder", key=key, at=at, do=do, reason=reason, why_required=True)


def give_grant(
    app: Application, *, actor: Actor, role: str, kind: str, object: str, level: str, scope: str, valid_from: date, valid_until: date | None, reason: str, key: str, at: datetime
) -> UUID | None:
    """What ``role`` (``*``: everybody) may from a day on. Raises Invalid for what there isn't."""

    def do(connection: Connection) -> Done:
        title = role_title(app, connection, role)
        words = _require_grant(app, role=role, kind=kind, object=object, level=level, scope=scope)
        _require_order(valid_from, valid_until)
        id = new_id()
        with _not_for_oneself(connection, actor, valid_from, at):
            connection.execute(insert(access_grant).values(
                id=id, role=role, kind=kind, object=object, level=level, scope=scope, valid_from=valid_from, valid_until=valid_until, source=reason.strip(), updated_at=at,
            ))
        return Done(text=f"“{title}”：{words}，{valid_from} 起", result=id, detail={"role": role, "kind": kind, "object": object, "level": level, "scope": scope, "until": str(valid_until or "")})

    return perform(app, actor=actor, right=SECURITY, verb="give_grant", key=key, at=at, do=do, reason=reason, why_required=True)


def end_grant(app: Application, *, actor: Actor, grant_id: UUID, last_day: date, reason: str, key: str, at: datetime) -> None:
    """A grant ends after ``last_day``; in the past or today it ends at once for the next request."""

    def do(connection: Connection) -> Done:
        row = connection.execute(update(access_grant).where(access_grant.c.id == grant_id).values(valid_until=last_day, updated_at=at).returning(access_grant.c.role, access_grant.c.object)).one_or_none()
        if row is None:
            raise NotFound("没有这条授权。")
        return Done(text=f"“{role_title(app, connection, row.role)}”的一条授权到 {last_day} 结束", detail={"role": row.role, "object": row.object})

    perform(app, actor=actor, right=SECURITY, verb="end_grant", key=key, at=at, do=do, reason=reason, why_required=True)


@contextmanager
def _not_for_oneself(connection: Connection, actor: Actor, valid_from: date, at: datetime) -> Iterator[None]:
    """Raise Forbidden when what is done inside gives the acting security administrator something of their own; what everybody gets is nobody's own."""
    on = max(valid_from, legal_date(at))
    before = _own_grants(connection, actor, on)
    yield
    if _own_grants(connection, actor, on) - before:
        raise Forbidden("这样也会给到您自己（您的岗位或您本人担任这个角色）。请另一位安全管理员办理。")


def _own_grants(connection: Connection, actor: Actor, on: date) -> frozenset[Grant]:
    rows = connection.scalar(select(held_grants(on)).select_from(person).where(person.c.id == actor.person_id))
    return frozenset(one for one in read_grants(rows) if not one.general)


def role_title(app: Application, connection: Connection, role: str) -> str:
    """What a role is called; raises NotFound for none that there is."""
    if role == EVERYBODY:
        return "每个人"
    pack = app.catalogue.packs.get(role.partition(".")[0])
    if pack is not None and role in pack.roles:
        return str(pack.roles[role].title)
    title = connection.scalar(select(own_role.c.title).where(own_role.c.name == role))
    if title is None:
        raise NotFound("没有这个角色。")
    return str(title)


def grant_words(app: Application, row: Any) -> str:
    """A grant in words: ``台账“雨伞库存”：导出（本局）``."""
    if row.kind == "function":
        return FUNCTIONS.get(row.object, row.object).split("：")[0]
    known = registers_of(app.library)
    if row.kind == "field":
        register, _, field = row.object.rpartition(".")
        declared = known[register][0] if register in known else None
        named = f"“{declared.title}”的“{declared.fields[field].title}”" if declared and field in declared.fields else row.object
        return f"{named}：{LEVELS.get(row.level, row.level)}"
    title = known[row.object][0].title if row.object in known else row.object
    if row.kind == "closed":
        return f"“{title}”的{ACTIONS[row.level]}只凭授权"
    return f"“{title}”：{ACTIONS[row.level]}（{SCOPES[row.scope]}）"


def _require_grant(app: Application, *, role: str, kind: str, object: str, level: str, scope: str) -> str:
    wrong = Invalid("这项授权没有选完整，请重新选。", fields={"object": "请选对象和权限。"})
    known = registers_of(app.library)
    if kind == "function":
        if object not in FUNCTIONS or level != "use" or role == EVERYBODY:
            raise Invalid("系统管理、安全管理、安全审计只能直接给到账号，不能经角色给；功能也不能给每个人。", fields={"object": "请另选。"})
    elif kind in ("register", "closed"):
        if object not in known or level not in ACTIONS or scope not in SCOPES or (kind == "closed") != (role == EVERYBODY):
            raise wrong
    elif kind == "field":
        register, _, field = object.rpartition(".")
        if register not in known or field not in known[register][0].fields or level not in LEVELS:
            raise wrong
        if level != "read" and field in _always_shown(known[register][0], [one for one, _ in known.values()]):
            raise Invalid("这一栏是别处指向这条记录时显示的名称，或者决定记录是否有效，不能隐藏或遮掩。", fields={"object": "请另选一栏。"})
    else:
        raise wrong
    return grant_words(app, _Asked(kind, object, level, scope))


class _Asked:
    def __init__(self, kind: str, object: str, level: str, scope: str) -> None:
        self.kind, self.object, self.level, self.scope = kind, object, level, scope


def _always_shown(register: Register, registers: Collection[Register]) -> set[str]:
    """Fields that stand for a record elsewhere: hidden in one place they would show in another."""
    found = {field.shows for one in registers for field in one.fields.values() if field.register == register.name}
    title = title_field(register)
    if title is not None:
        found.add(title.name)
    if register.valid is not None:
        found |= {register.valid.end, register.valid.start or ""}
    return found


def _require_order(valid_from: date, valid_until: date | None) -> None:
    if valid_until is not None and valid_until < valid_from:
        raise Invalid("起止日期写反了。", fields={"valid_until": "不能早于开始日期。"})
