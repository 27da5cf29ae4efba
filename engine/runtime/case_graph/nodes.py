"""The nodes of a case's graph, read from its records, dictionaries, documents and clocks."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from engine.access.actors import Actor
from engine.deadlines.queries import ClockView, clocks_of
from engine.documents.queries import STATES
from engine.kernel.clock import legal_date
from engine.kernel.errors import NotFound
from engine.reference.dictionaries import load_dictionary
from engine.registers.catalogue import get_register
from engine.registers.granted import for_reader
from engine.registers.scope import visible
from engine.reporting.graphs.declaration import Graph, Group
from engine.runtime.application import Application
from engine.runtime.queries.record_words import Words
from engine.storage.tables.cases import case_party
from engine.storage.tables.documents import document
from engine.storage.tables.parties import party_paper
from engine.storage.tables.runtime import submission

MOST = 40
CUT = 300


@dataclass(frozen=True, kw_only=True)
class Node:
    """``text`` and ``note`` are what one reads; ``code`` is an entry's; ``link`` names a document (``document:<id>``).

    ``until`` is a day in words, ``open`` false once a clock has run out.
    """

    group: str
    text: str
    note: str = ""
    code: str = ""
    law: str = ""
    until: str = ""
    open: bool = True
    how: str = ""
    link: str = ""

    def plain(self) -> dict[str, Any]:
        """As it is kept with a document and as FEEL reads it."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Whose graph is read: ``actor`` an officer, else ``party`` (id, name) on the pages from outside, else the system when a document is drafted."""

    app: Application
    connection: Connection
    graph: Graph
    case_id: UUID
    since: date
    at: datetime
    actor: Actor | None = None
    party: tuple[UUID, str] | None = None


def nodes_of(asked: Asked, group: Group, found: Mapping[str, Sequence[Node]]) -> list[Node]:
    """The nodes of ``group``, at most MOST; ``found`` are those of the groups read before it."""
    return READERS[group.source](asked, group, found)[:MOST]


def long_day(day: date | None) -> str:
    return f"{day.year}年{day.month}月{day.day}日" if day else ""


def _parties(asked: Asked, group: Group, found: Mapping[str, Sequence[Node]]) -> list[Node]:
    p = case_party.c
    rows = asked.connection.execute(select(p.party_id, p.snapshot).where(p.case_id == asked.case_id).order_by(p.at)).all()
    named = {row.party_id: row.snapshot["name"] for row in rows}
    return [Node(group=group.name, text=name) for id, name in named.items() if asked.party is None or id == asked.party[0]]


def _record(asked: Asked, group: Group, found: Mapping[str, Sequence[Node]]) -> list[Node]:
    """One node for each entry that the field holds (a choice of several gives several), or for each record."""
    register, table = get_register(asked.app.library, group.more["register"])
    seen = select(table) if asked.actor is None else visible(register, table, asked.actor, table)
    rows: Sequence[Any] = asked.connection.execute(
        seen.where(table.c.case_id == asked.case_id, table.c.deleted_at.is_(None)).order_by(table.c.created_at, table.c.id).limit(MOST + 1)
    ).mappings().all()
    shown = for_reader(register, asked.actor) if asked.actor else register
    names = [name for name in (group.more["field"], *group.more.get("beside", ())) if name in shown.fields]
    if asked.actor is None and group.told:
        names = [*group.told]
    fields = [shown.fields[name] for name in names]
    words = Words(asked.connection, fields, rows)
    made = []
    for row in rows:
        first, value = fields[0] if fields else None, row[names[0]] if names else None
        several = value if isinstance(value, list) else [value]
        note = "，".join(text for text in (words.text(one, row[one.name]) for one in fields[1:]) if text)
        made += [Node(group=group.name, text=words.text(first, one), note=note, code=str(one) if first.dictionary else "") for one in several if first and one not in (None, "")]
    return made


def _answers(asked: Asked, group: Group, found: Mapping[str, Sequence[Node]]) -> list[Node]:
    """What the newest answers that count to one of the forms say in one field; what they hold encrypted is left out."""
    s, field = submission.c, group.more["field"]
    data = asked.connection.scalar(
        select(s.data).where(s.case_id == asked.case_id, s.form.in_(group.more["forms"]), s.superseded.is_(False)).order_by(s.at.desc(), s.id.desc()).limit(1)
    ) or {}
    titles, value = data.get("$titles") or {}, data.get(field)
    several = [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str) and one]
    coded = group.more["dictionary"] is not None
    return [Node(group=group.name, text=str(titles.get(f"{field}.{one}") or titles.get(field) or one)[:CUT], code=one if coded else "") for one in several]


def _detail(asked: Asked, group: Group, found: Mapping[str, Sequence[Node]]) -> list[Node]:
    """What the entries of another group's dictionary say under ``key``, as they read when the case began."""
    source = asked.graph.groups[group.more["of"]]
    dictionary = source.more["dictionary"] if source.source == "answers" else get_register(asked.app.library, source.more["register"])[0].fields[source.more["field"]].dictionary
    if dictionary is None:
        return []
    try:
        entries = load_dictionary(asked.connection, dictionary=dictionary)
    except NotFound:
        return []
    said = [entries.detail(node.code, group.more["key"], as_of=asked.since) for node in found.get(source.name, ())]
    return [Node(group=group.name, text=str(text)) for text in dict.fromkeys(said) if text]


def _papers(asked: Asked, templates: Sequence[str]) -> list[Any]:
    """Issued documents of the case, oldest first; for a party those on its page."""
    d, p = document.c, party_paper.c
    wanted = select(document).where(d.case_id == asked.case_id, d.template.in_(templates), d.state.in_(("issued", "served")))
    if asked.party is not None:
        mine = select(p.document_id).where(p.party_id == asked.party[0], p.case_id == asked.case_id, p.state != "lapsed")
        wanted = wanted.where(d.id.in_(mine))
    return list(asked.connection.execute(wanted.order_by(d.issued_at, d.id)))


def _paper(asked: Asked, group: Group, found: Mapping[str, Sequence[Node]]) -> list[Node]:
    """What the newest issued document says in one field, corrections before sealing included."""
    rows, field = _papers(asked, group.more["templates"])[-1:], group.more["field"]
    said = [row.data.get("blocks", {}).get(field) or row.data.get("data", {}).get(field) for row in rows]
    return [Node(group=group.name, text=str(text)[:CUT]) for text in said if text]


def _documents(asked: Asked, group: Group, found: Mapping[str, Sequence[Node]]) -> list[Node]:
    return [
        Node(group=group.name, text=row.title, note="，".join(part for part in (row.number or "", long_day(legal_date(row.issued_at)), STATES[row.state]) if part), link=f"document:{row.id}")
        for row in _papers(asked, group.more["templates"])
    ]


def _clocks(asked: Asked, group: Group, found: Mapping[str, Sequence[Node]]) -> list[Node]:
    return [_clock(group, one) for one in _running(asked) if one.clock.split("/", 1)[0] in group.more["clocks"] and _addressed(asked, one)]


def _clock(group: Group, view: ClockView) -> Node:
    until = long_day(view.due)
    return Node(group=group.name, text=view.title, note="，".join(part for part in (f"到{until}" if until else "", view.words) if part), law=view.law, until=until, open=view.state == "running" and view.light != "late")


def _running(asked: Asked) -> list[ClockView]:
    return clocks_of(asked.connection, asked.case_id, legal_date(asked.at), asked.at)


def _addressed(asked: Asked, view: ClockView) -> bool:
    """A clock with a label is a party's own when the label ends with its name."""
    label = view.clock.partition("/")[2]
    return asked.party is None or not label or label == asked.party[1] or label.endswith(" " + asked.party[1])


def _right(asked: Asked, group: Group, found: Mapping[str, Sequence[Node]]) -> list[Node]:
    """A right that the law gives: open while its clock runs (without a clock always), once its condition holds."""
    from engine.runtime.case_graph.words import holds

    if "when" in group.more and not holds(asked, str(group.more["when"]), found):
        return []
    more, until, is_open, closed = group.more, "", True, ""
    if more.get("clock"):
        views = [one for one in _running(asked) if one.clock.split("/", 1)[0] == more["clock"] and _addressed(asked, one)]
        if not views:
            return []
        last = max(views, key=lambda one: (one.state == "running", one.start_on, one.id))
        in_time = last.due is not None and last.due >= legal_date(asked.at)
        until, is_open = long_day(last.due), last.state == "running" and in_time
        closed = "已经办过，不再开放" if last.state == "met" else "期限已过，已经关闭"
    note = f"到{until}为止" if is_open and until else closed if not is_open else ""
    return [Node(group=group.name, text=str(more["text"]), note=note, law=str(more["law"]), until=until, open=is_open, how=str(more.get("how", "")))]


READERS: Mapping[str, Callable[[Asked, Group, Mapping[str, Sequence[Node]]], list[Node]]] = {
    "parties": _parties, "record": _record, "answers": _answers, "detail": _detail, "paper": _paper, "documents": _documents, "clocks": _clocks, "right": _right,
}
FROZEN = ("record", "answers", "detail")
"""What is kept with the document that tells a party: officers go on working in the records."""
