"""Roles and what they may, as the pages, the matrix and the explanation tell it."""
from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, exists, func, literal, or_, select

from engine.access.actors import RIGHTS, SEE_ALL, Actor
from engine.access.assignment import roles_held
from engine.access.held_grants import dated
from engine.access.scope import may_see_case, ways
from engine.registers.catalogue import get_register, registers_of
from engine.registers.granted import ACTIONS, SCOPES, granted, is_closed
from engine.registers.scope import own_rule, visible_one
from engine.runtime.application import Application
from engine.runtime.organising.roles import FUNCTIONS, grant_words
from engine.storage.tables.cases import case_file
from engine.storage.tables.organisation import account, person, role_holder, unit
from engine.storage.tables.organising import access_grant, own_role, role_person


@dataclass(frozen=True, kw_only=True)
class Role:
    """A role of a pack or of one's own, with how many rows say who holds it today and what it is granted."""

    name: str
    title: str
    pack: str
    active: bool = True
    holders: int = 0
    grants: int = 0


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way to see or do a thing: whether it holds, and why in words."""

    word: str
    holds: bool
    why: str = ""


@dataclass(kw_only=True)
class Held:
    """A row of the matrix."""

    role: Role
    starts: list[str] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)
    registers: dict[str, list[str]] = field(default_factory=dict)
    fields: list[str] = field(default_factory=list)


def roles(app: Application, connection: Connection, *, on: date) -> list[Role]:
    """All roles, by pack, one's own first."""
    holding: dict[str, int] = dict(connection.execute(select(role_holder.c.role, func.count()).where(dated(role_holder, on)).group_by(role_holder.c.role)).all())
    for role, count in connection.execute(select(role_person.c.role, func.count()).where(dated(role_person, on)).group_by(role_person.c.role)):
        holding[role] = holding.get(role, 0) + count
    granting: dict[str, int] = dict(connection.execute(select(access_grant.c.role, func.count()).where(dated(access_grant, on)).group_by(access_grant.c.role)).all())
    found = [Role(name=row.name, title=row.title, pack="自设角色", active=row.active, holders=holding.get(row.name, 0), grants=granting.get(row.name, 0))
             for row in connection.execute(select(own_role).order_by(own_role.c.title))]
    for pack in sorted(app.catalogue.packs.values(), key=lambda one: one.title):
        for name, role in pack.roles.items():
            if role.kind == "post":
                found.append(Role(name=name, title=role.title, pack=pack.title, holders=holding.get(name, 0), grants=granting.get(name, 0)))
    return found


def holders_of(connection: Connection, *, role: str) -> list[Row[Any]]:
    """Rows that say which posts hold a role: also those that are over or yet to come."""
    h = role_holder.c
    return list(connection.execute(
        select(h.id, h.post, h.unit_kind, h.scope, h.bureau, unit.c.name.label("unit"), h.valid_from, h.valid_until, h.source)
        .select_from(role_holder.outerjoin(unit, unit.c.id == h.unit_id)).where(h.role == role).order_by(h.valid_from, h.id)
    ))


def people_of(connection: Connection, *, role: str) -> list[Row[Any]]:
    """People who hold a role of one's own by name."""
    r = role_person.c
    return list(connection.execute(select(r.id, r.person_id, person.c.name, r.valid_from, r.valid_until, r.source).join(person, person.c.id == r.person_id).where(r.role == role).order_by(r.valid_from, r.id)))


def grants_of(connection: Connection, *, role: str | None = None, on: date | None = None) -> list[Row[Any]]:
    """Grants of one role, or of all of them in force on ``on``."""
    statement = select(access_grant).order_by(access_grant.c.role, access_grant.c.kind, access_grant.c.object, access_grant.c.valid_from)
    if role is not None:
        statement = statement.where(access_grant.c.role == role)
    return list(connection.execute(statement if on is None else statement.where(dated(access_grant, on))))


def matrix(app: Application, connection: Connection, *, on: date) -> list[Held]:
    """Every role with what it may: procedures it starts, functions, registers by action (declared and granted), fields."""
    rows = {role.name: Held(role=role) for role in roles(app, connection, on=on)}
    rows["*"] = Held(role=Role(name="*", title="每个人", pack="全部"))
    for start in app.catalogue.starts():
        if start.role in rows:
            rows[start.role].starts.append(start.title)
    for name, (register, _) in registers_of(app.library).items():
        for role, action in ((register.editors, "edit"), (register.draws, "draw"), (register.imports, "import")):
            if role in rows:
                rows[str(role)].registers.setdefault(name, []).append(ACTIONS[action])
    for grant in grants_of(connection, on=on):
        if grant.role not in rows:
            continue
        row = rows[grant.role]
        if grant.kind == "function":
            row.functions.append(grant_words(app, grant))
        elif grant.kind == "field":
            row.fields.append(grant_words(app, grant))
        else:
            word = f"{ACTIONS[grant.level]}（{SCOPES[grant.scope]}）" if grant.kind == "register" else f"{ACTIONS[grant.level]}只凭授权"
            row.registers.setdefault(grant.object, []).append(word)
    return list(rows.values())


def why_case(connection: Connection, actor: Actor, case_id: UUID) -> tuple[bool, list[Way]]:
    """Whether ``actor`` sees the case, and each way with whether it leads there."""
    found = [Way(word=f"“{RIGHTS[SEE_ALL].split('：')[0]}”的权限", holds=actor.sees_everything, why="能看全部案件" if actor.sees_everything else "没有这项权限")]
    home = connection.execute(select(unit.c.name, unit.c.path).join(case_file, case_file.c.unit_id == unit.c.id).where(case_file.c.id == case_id)).one_or_none()
    for word, way in ways(actor):
        narrowed = way.where(way.selected_columns[0] == case_id)
        holds = bool(connection.scalar(select(exists(select(literal(1)).select_from(narrowed.subquery())))))
        why = f"案件在{home.name}" if home and word.startswith("本单位") else ""
        found.append(Way(word=word, holds=holds, why=why))
    if not any(way.word.startswith("本单位") for way in found):
        found.append(Way(word="本单位和下属单位的案件", holds=False, why=f"{actor.post_title}的岗位不带这种查看范围" + (f"；案件在{home.name}" if home else "")))
    return may_see_case(connection, actor, case_id), found


def why_record(app: Application, connection: Connection, actor: Actor, *, register: str, record_id: UUID) -> tuple[bool, list[Way]]:
    """The same for a record of a register."""
    declared, table = get_register(app.library, register)
    row = connection.execute(select(table.c.unit_id, unit.c.name).select_from(table.outerjoin(unit, unit.c.id == table.c.unit_id)).where(table.c.id == record_id)).one_or_none()
    rule, shut = own_rule(declared, table, actor), is_closed(actor, register, "read")
    by_rule = row is not None and not shut and (rule is None or bool(connection.scalar(select(exists(select(table.c.id).where(table.c.id == record_id, rule))))))
    place = f"记录属于{row.name}" if row is not None and row.name else ""
    scopes = granted(actor, register, "read")
    given = bool(row is not None and scopes and connection.scalar(select(exists(visible_one(declared, table, actor, record_id, table.c.id))))) and not by_rule
    sees = bool(connection.scalar(select(exists(visible_one(declared, table, actor, record_id, table.c.id)))))
    found = [
        Way(word=f"台账自己的规则（{_SCOPE_WORDS.get(declared.scope, declared.scope)}）", holds=by_rule, why="这个台账的查看只凭授权" if shut else place),
        Way(word="角色的授权", holds=given, why="、".join(SCOPES[one] for one in sorted(scopes)) if scopes else "没有授权"),
    ]
    return sees, found


_SCOPE_WORDS = {"case": "看得到案件就看得到", "unit": "本单位，负责人和科室连下属", "agency": "本局", "area": "本单位，市级全条线", "bureau": "本条线", "all": "每个人"}


def why_function(connection: Connection, actor: Actor, right: str, *, on: date) -> tuple[bool, list[Way]]:
    """The same for a function: by the account, or by a role."""
    own = connection.scalar(select(account.c.rights).where(account.c.id == actor.account_id)) or []
    named = _own_roles(connection, actor, on)
    held = roles_held(connection, posts=actor.posts, on=on) | set(named)
    rows = connection.execute(select(access_grant.c.role, access_grant.c.valid_until).where(access_grant.c.kind == "function", access_grant.c.object == right, dated(access_grant, on))).all()
    found = [Way(word="账号的权限", holds=right in own, why="" if right in own else "账号没有这项权限")]
    found += [Way(word=f"角色 {row.role}", holds=row.role in held, why=(f"到 {row.valid_until}" if row.valid_until else "长期") if row.role in held else "没有担任这个角色") for row in rows]
    if not rows and right in FUNCTIONS:
        found.append(Way(word="角色的授权", holds=False, why="没有角色得到这项授权"))
    return right in actor.rights, found


def why_start(app: Application, connection: Connection, actor: Actor, process: str, *, on: date) -> tuple[bool, list[Way]]:
    """The same for starting a procedure: by the roles that its starts name."""
    held = roles_held(connection, posts=actor.posts, on=on)
    found = []
    for start in app.catalogue.starts():
        if start.process == process and start.role:
            rows = connection.execute(select(role_holder.c.post, role_holder.c.unit_kind).where(role_holder.c.role == start.role, dated(role_holder, on))).all()
            who = "、".join(sorted({f"{row.unit_kind} 的 {row.post}" for row in rows})) or "没有人"
            found.append(Way(word=f"担任角色 {start.role}", holds=start.role in held, why=f"由 {who} 担任"))
    return any(way.holds for way in found), found


def _own_roles(connection: Connection, actor: Actor, on: date) -> list[str]:
    r = role_person.c
    return list(connection.scalars(select(r.role).join(own_role, own_role.c.name == r.role).where(r.person_id == actor.person_id, dated(role_person, on), own_role.c.active)))


def find_case(connection: Connection, text: str) -> UUID | None:
    """The case of a number, an id or an address with the id in it."""
    words = text.strip().rstrip("/")
    for part in reversed(words.split("/")):
        try:
            return connection.scalar(select(case_file.c.id).where(case_file.c.id == UUID(part.split("?")[0])))
        except ValueError:
            continue
    return connection.scalar(select(case_file.c.id).where(or_(case_file.c.number == words)))
