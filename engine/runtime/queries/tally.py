"""会签到哪一步了: the votes so far in words, and who is still out."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from engine.runtime.application import Application
from engine.runtime.begin import load_machine
from engine.runtime.bpmn.tally import is_countersign
from engine.runtime.nodes import node_of
from engine.storage.tables.organisation import person


@dataclass(frozen=True, kw_only=True)
class Vote:
    """``word`` is the button that was pressed, '' for whoever has not voted; ``asked``: they are asked now."""

    person: str
    word: str
    weight: float | None
    asked: bool


@dataclass(frozen=True, kw_only=True)
class Tally:
    """``counts`` (word, how many) in the order in which they came up; ``out``: names of those who have not voted."""

    title: str
    votes: tuple[Vote, ...]
    counts: tuple[tuple[str, int], ...]
    out: tuple[str, ...]


def tally_of(app: Application, connection: Connection, *, instance: Mapping[str, Any], task: Mapping[str, Any], at: datetime) -> Tally | None:
    """How the vote stands that the open step ``task`` (engine_id, node, process, title) is part of; None where nobody votes. One statement."""
    node = node_of(app, dict(instance), dict(task))
    if not is_countersign(node):
        return None
    ballots = load_machine(app, dict(instance), at).ballots(task["engine_id"])
    words = {one["value"]: one.get("title") or one["value"] for one in node.outcomes}
    ids = [UUID(ballot.person) for ballot in ballots]
    names = {str(row.id): row.name for row in connection.execute(select(person.c.id, person.c.name).where(person.c.id.in_(ids)))}
    votes = tuple(
        Vote(person=names.get(one.person, ""), word=words.get(one.outcome, one.outcome) if one.outcome else "", weight=one.weight, asked=one.asked) for one in ballots
    )
    given = [vote.word for vote in votes if vote.word]
    counts = tuple((word, given.count(word)) for word in dict.fromkeys(given))
    return Tally(title=task["title"], votes=votes, counts=counts, out=tuple(vote.person for vote in votes if not vote.word))
