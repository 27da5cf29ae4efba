"""The organisation as its pages show it: the tree with how many sit where, one unit, lists of people, one officer."""
from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, func, or_, select, tuple_

from engine.access.actors import LEADER_POSTS, RIGHTS, Actor, actor_of, actor_query, holds_on
from engine.access.assignment import roles_held
from engine.access.scope import ways
from engine.runtime.queries.pages import Page, cut, decode
from engine.storage.tables.organisation import account, person, post, unit
from engine.storage.tables.organising import organisation_act, unit_name
from engine.storage.tables.parties import party_account
from engine.storage.tables.runtime import deputy

COUNTED = 10_000


def headcounts(connection: Connection, *, on: date) -> dict[UUID, int]:
    """How many people sit in each unit itself."""
    rows = connection.execute(select(post.c.unit_id, func.count(post.c.person_id.distinct())).where(holds_on(on)).group_by(post.c.unit_id))
    return {row[0]: row[1] for row in rows}


def seats_of(connection: Connection, *, unit_id: UUID, on: date, past: bool = False) -> list[Row[Any]]:
    """Posts of a unit with who holds them, leaders first; ``past``: those that ended."""
    held = post.c.valid_until < on if past else or_(post.c.valid_until.is_(None), post.c.valid_until >= on)
    p = post.c
    return list(connection.execute(
        select(p.id, p.person_id, person.c.name, p.code, p.title, p.main, p.valid_from, p.valid_until)
        .join(person, person.c.id == p.person_id).where(p.unit_id == unit_id, held)
        .order_by(p.code.not_in(list(LEADER_POSTS)), p.code, person.c.pinyin, p.valid_from.desc(), p.id).limit(500)
    ))


def names_by_day(connection: Connection, *, unit_id: UUID) -> list[Row[Any]]:
    """What the unit was called from when on, the newest first."""
    n = unit_name.c
    return list(connection.execute(select(n.name, n.short_name, n.valid_from, n.source).where(n.unit_id == unit_id).order_by(n.valid_from.desc(), n.id.desc())))


def history(connection: Connection, *, unit_id: UUID | None = None, person_id: UUID | None = None, rights_only: bool = False, limit: int = 50) -> list[Row[Any]]:
    """Acts of administrators on a unit, a person, or on rights: at, actor_name, text, reason, the newest first."""
    a = organisation_act.c
    statement = select(a.at, a.actor_name, a.text, a.reason, a.verb).order_by(a.at.desc(), a.id.desc()).limit(limit)
    if unit_id is not None:
        statement = statement.where(a.unit_id == unit_id)
    if person_id is not None:
        statement = statement.where(a.person_id == person_id)
    if rights_only:
        statement = statement.where(a.verb.in_(["give_rights", "add_role", "close_role", "add_holder", "end_holder", "give_grant", "end_grant"]))
    return list(connection.execute(statement))


def people(connection: Connection, *, text: str, path: str, gone: bool, on: date, after: str | None, before: int, size: int = 50) -> Page[Any]:
    """People of the offices, not parties, by name, pinyin, login or number of a certificate, at and below ``path``: one page by key."""
    main = select(post.c.person_id, post.c.title, unit.c.name.label("unit"), unit.c.path).join(unit, unit.c.id == post.c.unit_id).where(post.c.main, holds_on(on)).subquery("main")
    statement = (
        select(person.c.id, person.c.name, person.c.pinyin, person.c.active, account.c.login, account.c.active.label("account"), main.c.title, main.c.unit)
        .outerjoin(account, account.c.person_id == person.c.id).outerjoin(main, main.c.person_id == person.c.id).where(person.c.active != gone)
        .where(~select(party_account.c.id).where(party_account.c.person_id == person.c.id).exists())
    )
    if text:
        low = text.lower()
        statement = statement.where(or_(
            person.c.name.contains(text, autoescape=True), person.c.pinyin.startswith(low, autoescape=True), person.c.pinyin.contains(" " + low, autoescape=True),
            account.c.login.startswith(low, autoescape=True), person.c.certificate_number == text,
        ))
    if path:
        below = select(post.c.person_id).join(unit, unit.c.id == post.c.unit_id).where(unit.c.path.startswith(path, autoescape=True), holds_on(on))
        statement = statement.where(person.c.id.in_(below))
    total = connection.scalar(select(func.count()).select_from(statement.limit(COUNTED + 1).subquery())) or 0
    if after:
        word, id = decode(after, length=2)
        statement = statement.where(tuple_(person.c.pinyin, person.c.id) > tuple_(word, id))
    rows = list(connection.execute(statement.order_by(person.c.pinyin, person.c.id).limit(size + 1)))
    return cut(rows, size=size, before=before, total=total, key=lambda row: (row.pinyin, row.id))


def deputies_of(connection: Connection, *, person_id: UUID, on: date) -> list[Row[Any]]:
    """Who stands in for a person, or for whom they do, today or later: name, theirs (True: stands in for the person), from_on, until_on."""
    other = person.alias("other")
    mine = deputy.c.person_id == person_id
    return list(connection.execute(
        select(other.c.name, mine.label("theirs"), deputy.c.from_on, deputy.c.until_on)
        .join(other, (mine & (other.c.id == deputy.c.deputy_id)) | (~mine & (other.c.id == deputy.c.person_id)))
        .where(or_(mine, deputy.c.deputy_id == person_id), deputy.c.until_on >= on, deputy.c.ended_at.is_(None)).order_by(deputy.c.from_on)
    ))


def actor_in(connection: Connection, *, person_id: UUID, on: date, post_id: UUID | None = None) -> Actor | None:
    """A person as they act in a post (None: the main one), whether or not their account is open; None without account or post."""
    statement = actor_query(on).where(person.c.id == person_id)
    statement = statement if post_id is None else statement.where(post.c.id == post_id)
    row = connection.execute(statement.order_by(post.c.main.desc(), post.c.id).limit(1)).one_or_none()
    return None if row is None else actor_of(row, on)


def roles_of(connection: Connection, *, person_id: UUID, on: date) -> frozenset[str]:
    """Roles that all posts of a person together give."""
    pairs = [(row[0], row[1]) for row in connection.execute(select(post.c.unit_id, post.c.code).where(post.c.person_id == person_id, holds_on(on)))]
    return roles_held(connection, posts=pairs, on=on)


def cases_by_way(connection: Connection, actor: Actor) -> list[tuple[str, int]]:
    """How many cases each way lets somebody see, exact up to 10,000."""
    found = []
    for word, way in ways(actor):
        found.append((word, connection.scalar(select(func.count()).select_from(way.distinct().limit(COUNTED + 1).subquery())) or 0))
    return found


def right_words(rights: Any) -> list[str]:
    """Titles of global rights."""
    return [RIGHTS[one].split("：")[0] for one in sorted(rights) if one in RIGHTS]


def rights_held(connection: Connection) -> list[Row[Any]]:
    """Open accounts with global rights: person_id, name, login, rights, by name."""
    return list(connection.execute(
        select(person.c.id.label("person_id"), person.c.name, account.c.login, account.c.rights).join(person, person.c.id == account.c.person_id)
        .where(account.c.active, func.jsonb_array_length(account.c.rights) > 0).order_by(person.c.pinyin, person.c.id).limit(500)
    ))
