"""One box over cases, records, documents and parties: every word must be found, inside what the reader may see.

Words of three characters and more go through trigrams, of one and two through pairs of characters, two and more letters also
through the initials of parties' names. Each kind first looks at what changed last, which finds common words at once, and only
when that gives too few asks the index, which is quick for rare ones; what a kind holds beyond its limit is said, not counted.
"""
from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Subquery,
    Table,
    and_,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    union_all,
)

from engine.access.actors import Actor
from engine.access.scope import restrict
from engine.registers.declaration import Register
from engine.registers.scope import visible
from engine.registers.tables import searched, words_text
from engine.runtime.queries.cases import Listed, by_ids
from engine.storage.find_words import has_word, short
from engine.storage.tables.cases import case_file, case_party, case_words, party
from engine.storage.tables.documents import document

MOST = 50
MOST_WORDS = 6
RECENT = 3_000
"""How many of the last changed are looked at before the index is asked."""
FEW = {"records": 30, "documents": 20, "parties": 20}
EACH = 6
_LETTERS = re.compile(r"[a-z]{2,12}\Z")
TEXT: ColumnElement[str] = literal_column("document.title || ' ' || coalesce(document.number, '')")


def words_of(query: str) -> list[str]:
    """The words of a query, folded as stored search text is: full width to half, lower case."""
    return unicodedata.normalize("NFKC", query).lower().split()[:MOST_WORDS]


@dataclass(frozen=True, kw_only=True)
class Hit:
    """A record, document or party: ``where`` is its register, its case or what it is; ``id`` and ``case_id`` for the link."""

    id: UUID
    title: str
    where: str
    at: datetime | None = None
    case_id: UUID | None = None
    register: str = ""


@dataclass(frozen=True, kw_only=True)
class Hits:
    """``more`` is true when there are more than ``rows``."""

    rows: Sequence[Hit]
    more: bool


def found(connection: Connection, *, actor: Actor, query: str) -> tuple[list[Listed], bool]:
    """(cases last changed first, whether there are more than are shown). Two or three statements."""
    words = words_of(query)
    if not words:
        return [], False
    c = case_file.c
    recent = restrict(select(c.id, c.finder, c.updated_at), actor).order_by(c.updated_at.desc(), c.id.desc()).limit(RECENT).subquery()
    held = [recent.c.finder.contains(word, autoescape=True) for word in words]
    ids = list(connection.scalars(select(recent.c.id).where(*held).order_by(recent.c.updated_at.desc(), recent.c.id.desc()).limit(MOST + 1)))
    if len(ids) <= MOST:
        indexed = select(c.id).join(case_words, case_words.c.case_id == c.id)
        statement = restrict(indexed, actor).where(*(_in_text(case_words.c.finder, word) for word in words))
        ids = list(connection.scalars(statement.order_by(c.updated_at.desc(), c.id.desc()).limit(MOST + 1)))
    return by_ids(connection, ids=ids[:MOST]), len(ids) > MOST


def _in_text(text: ColumnElement[Any], word: str) -> ColumnElement[bool]:
    part = text.contains(word, autoescape=True)
    return and_(part, has_word(text, word)) if short(word) else part


def records(connection: Connection, *, actor: Actor, query: str, registers: Mapping[str, tuple[Register, Table]]) -> Hits:
    """Records of every register that has search fields, the last changed first, at most EACH of one register. One statement."""
    words = words_of(query)
    parts = [_of_register(register, table, actor, words) for register, table in registers.values() if searched(register)] if words else []
    if not parts:
        return Hits(rows=[], more=False)
    rows = connection.execute(union_all(*parts)).all()
    ranked = sorted(rows, key=lambda row: row.at, reverse=True)
    most = FEW["records"]
    crowded = any(sum(row.register == name for row in rows) > EACH for name in {row.register for row in rows})
    kept = [row for name in dict.fromkeys(row.register for row in ranked) for row in [one for one in ranked if one.register == name][:EACH]]
    titles = {name: register.title for name, (register, _) in registers.items()}
    return Hits(rows=[Hit(id=row.id, title=row.title or "未填", where=titles[row.register], at=row.at, register=row.register) for row in kept[:most]], more=crowded or len(kept) > most)


def _of_register(register: Register, table: Table, actor: Actor, words: Sequence[str]) -> Select[Any]:
    """First among what changed last; when that gives too few, all that the index gives, ordered afterwards: see ``_rows`` of the lists."""
    names = [f.name for f in searched(register)]
    columns = [table.c.id, table.c.updated_at, *(table.c[name] for name in names)]
    window = visible(register, table, actor, *columns).order_by(table.c.updated_at.desc(), table.c.id.desc()).limit(RECENT).subquery()
    recent = select(window).where(*(_in_fields(window, names, word) for word in words)).order_by(window.c.updated_at.desc(), window.c.id.desc()).limit(EACH + 1).cte()
    enough = select(func.count()).select_from(recent).scalar_subquery() > EACH
    whole = visible(register, table, actor, *columns).where(*(_in_fields(table, names, word) for word in words)).where(~enough)
    for word in filter(short, words):
        whole = whole.where(has_word(literal_column(words_text(register, prefix=f"reg.{table.name}.")), word))
    rest = (whole.offset(0) if len(words) > 1 else whole.order_by(table.c.updated_at.desc(), table.c.id.desc()).limit(EACH + 1)).subquery()
    found = union_all(
        select(recent).where(enough), select(select(rest).order_by(rest.c.updated_at.desc(), rest.c.id.desc()).limit(EACH + 1).subquery()),
    ).subquery()
    title = func.concat_ws("　", *(found.c[name] for name in names[:2]))
    return select(found.c.id, title.label("title"), found.c.updated_at.label("at"), literal(register.name).label("register"))


def _in_fields(source: Table | Subquery, names: Sequence[str], word: str) -> ColumnElement[bool]:
    return or_(*(source.c[name].ilike("%" + _escaped(word) + "%", escape="/") for name in names))


def _escaped(word: str) -> str:
    return word.replace("/", "//").replace("%", "/%").replace("_", "/_")


def documents(connection: Connection, *, actor: Actor, query: str) -> Hits:
    """Documents by title and number, on cases the reader may see. One statement."""
    words = words_of(query)
    if not words:
        return Hits(rows=[], more=False)
    d, most = document.c, FEW["documents"]
    statement = restrict(select(d.id, d.title, d.number, d.updated_at, d.case_id, case_file.c.title.label("of")).join(case_file, case_file.c.id == d.case_id), actor, case_id=d.case_id)
    for word in words:
        part = TEXT.ilike("%" + _escaped(word) + "%", escape="/")
        statement = statement.where(part, has_word(TEXT, word)) if short(word) else statement.where(part)
    rows = connection.execute(statement.order_by(d.updated_at.desc()).limit(most + 1)).all()
    hits = [Hit(id=row.id, title="　".join(filter(None, (row.title, row.number))), where=row.of, at=row.updated_at, case_id=row.case_id) for row in rows[:most]]
    return Hits(rows=hits, more=len(rows) > most)


def parties(connection: Connection, *, actor: Actor, query: str) -> Hits:
    """Parties of cases the reader may see, by name or the initials of its pinyin, with the latest such case. One statement."""
    words = words_of(query)
    if not words:
        return Hits(rows=[], more=False)
    p, most = party.c, FEW["parties"]
    seen = restrict(select(literal(1)).select_from(case_party).where(case_party.c.party_id == p.id), actor, case_id=case_party.c.case_id)
    last = restrict(select(case_party.c.case_id).where(case_party.c.party_id == p.id), actor, case_id=case_party.c.case_id).order_by(case_party.c.at.desc()).limit(1).scalar_subquery()
    statement = select(p.id, p.name, p.kind, p.updated_at, last.label("case_id")).where(exists(seen))
    for word in words:
        statement = statement.where(_named(word))
    rows = connection.execute(statement.order_by(p.updated_at.desc()).limit(most + 1)).all()
    kinds = {"person": "自然人", "organisation": "单位"}
    return Hits(rows=[Hit(id=row.id, title=row.name, where=kinds.get(row.kind, ""), at=row.updated_at, case_id=row.case_id) for row in rows[:most]], more=len(rows) > most)


def _named(word: str) -> ColumnElement[bool]:
    name = party.c.name
    part = name.ilike("%" + _escaped(word) + "%", escape="/")
    by_name = and_(part, has_word(name, word)) if short(word) else part
    return or_(by_name, func.public.gc_initials(name).like(word + "%")) if _LETTERS.match(word) else by_name
