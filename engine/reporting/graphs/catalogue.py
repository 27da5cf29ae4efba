"""Graphs in force, parsed once per deploy."""
from __future__ import annotations

from engine.packs.library import Library
from engine.registers.catalogue import registers_of
from engine.reporting.graphs.declaration import Graph, parse_graph


def graphs_of(library: Library) -> dict[str, Graph]:
    """{``<pack>.<graph>``: declaration} of everything in force."""

    def make() -> dict[str, Graph]:
        registers = registers_of(library)
        there = {kind: set(library.names(kind)) for kind in ("document", "form")}
        return {
            name: parse_graph(
                library.current("graph", name).content, name=name, register=lambda one: registers[one][0] if one in registers else None,
                known=lambda kind, one: one in there[kind],
            )
            for name in library.names("graph")
        }

    made: dict[str, Graph] = library.derived("graphs", make)
    return made


def graph_of_kind(library: Library, kind: str) -> Graph | None:
    """The graph of cases of ``kind``; None when no pack declares one."""
    return next((one for one in graphs_of(library).values() if one.kind == kind), None)


def graph_told_with(library: Library, *, kind: str, template: str) -> Graph | None:
    """The graph that a party of a case of ``kind`` is told with the document ``template``."""
    found = graph_of_kind(library, kind)
    return found if found is not None and template in found.told_with else None
