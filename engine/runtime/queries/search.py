"""Search by number, title, party and address: every word must be found, inside what the reader may see."""
from __future__ import annotations

import unicodedata

from sqlalchemy import Connection, select

from engine.access.actors import Actor
from engine.access.scope import restrict
from engine.runtime.queries.cases import Listed, by_ids
from engine.storage.tables.cases import case_file

MOST = 50
MOST_WORDS = 6


def words_of(query: str) -> list[str]:
    """The words of a query, folded as stored search text is: full width to half, lower case."""
    return unicodedata.normalize("NFKC", query).lower().split()[:MOST_WORDS]


def found(connection: Connection, *, actor: Actor, query: str) -> tuple[list[Listed], bool]:
    """(cases last changed first, whether there are more than are shown). Two statements."""
    words = words_of(query)
    if not words:
        return [], False
    c = case_file.c
    statement = restrict(select(c.id), actor)
    for word in words:
        statement = statement.where(c.finder.contains(word, autoescape=True))
    ids = list(connection.scalars(statement.order_by(c.updated_at.desc(), c.id.desc()).limit(MOST + 1)))
    return by_ids(connection, ids=ids[:MOST]), len(ids) > MOST
