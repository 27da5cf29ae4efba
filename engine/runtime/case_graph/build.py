"""The graph of one case: for officers, kept with a document, and told to a party."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from engine.access.actors import Actor
from engine.access.scope import require_case
from engine.kernel.clock import legal_date
from engine.reporting.graphs.catalogue import graph_of_kind, graph_told_with
from engine.reporting.graphs.declaration import Edge, Graph, Group
from engine.runtime.application import Application
from engine.runtime.case_graph.nodes import FROZEN, Asked, Node, nodes_of
from engine.runtime.case_graph.words import sentences
from engine.storage.tables.cases import case_file
from engine.storage.tables.documents import document
from engine.storage.tables.organisation import unit
from engine.storage.tables.parties import party_paper

KEPT = "$graph"


@dataclass(frozen=True, kw_only=True)
class CaseGraph:
    """``groups`` in the declared order with their nodes, those without any left out; ``edges`` between what is there."""

    title: str
    groups: Sequence[tuple[Group, Sequence[Node]]]
    edges: Sequence[Edge]


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a party reads: its part of the graph and the sentences (heading, text)."""

    graph: CaseGraph
    words: Sequence[tuple[str, str]]


def case_graph(app: Application, connection: Connection, *, actor: Actor, case_id: UUID, at: datetime) -> CaseGraph | None:
    """For an officer; None when no pack declares one for this kind of case. Raises NotFound for a case that ``actor`` may not see."""
    require_case(connection, actor, case_id)
    kind, since = _case(connection, case_id)
    graph = graph_of_kind(app.library, kind)
    if graph is None:
        return None
    return _shown(graph, _read(Asked(app=app, connection=connection, graph=graph, case_id=case_id, since=since, at=at, actor=actor), graph.groups.values(), {}))


def kept_with(app: Application, connection: Connection, *, case: Mapping[str, Any], template: str, at: datetime) -> dict[str, Any]:
    """``{"$graph": …}`` to be kept with a document that tells its party: the records as they are now, in a party's words; else nothing."""
    graph = graph_told_with(app.library, kind=case["kind"], template=template)
    if graph is None:
        return {}
    asked = Asked(app=app, connection=connection, graph=graph, case_id=case["id"], since=legal_date(case["created_at"]), at=at)
    told = [one for one in graph.groups.values() if one.source in FROZEN and (one.told is not None or _feeds(graph, one))]
    found = _read(asked, told, {})
    return {KEPT: {name: [node.plain() for node in nodes] for name, nodes in found.items() if graph.groups[name].told is not None}}


def _feeds(graph: Graph, group: Group) -> bool:
    """Whether something told is read off this group's entries."""
    return any(one.source == "detail" and one.more["of"] == group.name and one.told is not None for one in graph.groups.values())


def told_graph(app: Application, connection: Connection, *, party_id: UUID, party_name: str, document_id: UUID, at: datetime) -> Told | None:
    """What a party reads beside the document; None unless the document tells it. Raises nothing for what isn't the party's: it is None."""
    d, p = document.c, party_paper.c
    row = connection.execute(
        select(d.case_id, d.template, d.data, case_file.c.kind, case_file.c.created_at, unit.c.name.label("bureau"))
        .join(case_file, case_file.c.id == d.case_id).join(party_paper, (p.document_id == d.id) & (p.party_id == party_id)).join(unit, unit.c.id == case_file.c.unit_id)
        .where(d.id == document_id, p.state != "lapsed")
    ).one_or_none()
    graph = graph_told_with(app.library, kind=row.kind, template=row.template) if row else None
    if row is None or graph is None:
        return None
    asked = Asked(app=app, connection=connection, graph=graph, case_id=row.case_id, since=legal_date(row.created_at), at=at, party=(party_id, party_name))
    kept = {name: [Node(**one) for one in nodes] for name, nodes in (row.data.get("data", {}).get(KEPT) or {}).items()}
    live = [one for one in graph.groups.values() if one.told is not None and one.source not in FROZEN]
    found = _read(asked, live, kept)
    bureau = row.data.get("unit", {}).get("name") or row.bureau
    return Told(graph=_shown(graph, found), words=sentences(asked, found, bureau=bureau))


def _read(asked: Asked, groups: Any, found: Mapping[str, Sequence[Node]]) -> dict[str, Sequence[Node]]:
    """Details after what they are read off, rights last: their conditions read the others."""
    made, last = dict(found), {"detail": 1, "right": 2}
    for group in sorted(groups, key=lambda one: last.get(one.source, 0)):
        made[group.name] = nodes_of(asked, group, made)
    return made


def _shown(graph: Graph, found: Mapping[str, Sequence[Node]]) -> CaseGraph:
    there = [(group, found[name]) for name, group in graph.groups.items() if found.get(name)]
    names = {group.name for group, _ in there}
    return CaseGraph(title=graph.title, groups=there, edges=[one for one in graph.edges if one.start in names and one.end in names])


def _case(connection: Connection, case_id: UUID) -> tuple[str, date]:
    row = connection.execute(select(case_file.c.kind, case_file.c.created_at).where(case_file.c.id == case_id)).one()
    return row.kind, legal_date(row.created_at)
