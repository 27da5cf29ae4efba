"""What a graph of a case may declare, and how its boxes stand."""
from __future__ import annotations

import pytest

from engine.kernel.errors import DeployRefused
from engine.registers.declaration import Register, parse_register
from engine.reporting.graphs.declaration import Graph, parse_graph
from engine.runtime.case_graph.build import CaseGraph
from engine.runtime.case_graph.nodes import Node
from engine.web.graph_picture import GAP, MOST_LINES, WIDTH, broken, picture

GOOD = b"""
title: t
kind: case
told_with: [notice]
nodes:
  party: {title: p, source: parties, told: true}
  act: {title: a, source: record, register: deed, field: what, told: [what]}
  law: {title: l, source: detail, of: act, key: law}
  right: {title: r, source: right, text: x, law: y, when: count(act) > 0}
edges:
  - {from: party, to: act, title: did}
  - {from: act, to: law, title: against}
words:
  - {title: w, say: 'string join(act.text, ",")'}
"""
DEED = b"title: d\ncase: many\nfields:\n  what: {title: w}\n  secret: {title: s, encrypt: true}\n"


def read(content: bytes) -> Graph:
    def register(name: str) -> Register | None:
        return parse_register(DEED, name=name) if name == "pack.deed" else None

    return parse_graph(content, name="pack.graph", register=register, known=lambda kind, name: name in ("pack.notice",))


def test_columns_follow_from_the_edges() -> None:
    graph = read(GOOD)
    assert (graph.kind, graph.told_with) == ("pack.case", ("pack.notice",))
    assert {name: group.level for name, group in graph.groups.items()} == {"party": 0, "act": 1, "law": 2, "right": 0}
    drawn = picture(CaseGraph(title="t", groups=[(graph.groups[name], [Node(group=name, text=name * 40)]) for name in ("party", "act")], edges=graph.edges[:1]))
    assert [box.x for box in drawn.boxes] == [1, 1 + WIDTH + GAP] and drawn.lines[0][3] == "did"
    assert len(broken("字" * 200, MOST_LINES)) == MOST_LINES and broken("字" * 200, MOST_LINES)[-1].endswith("…")


@pytest.mark.parametrize(("old", "new", "why"), [
    (b"to: law, title: against}", b"to: law, title: against}\n  - {from: law, to: party, title: b}", "绕成圈"),
    (b"field: what, told", b"field: secret, told", "secret"),
    (b"of: act", b"of: party", "record"),
    (b"register: deed", b"register: nothing", "没有台账"),
    (b"told_with: [notice]", b"told_with: [other]", "pack.other"),
    (b"act.text", b"deed.text", "deed"),
    (b"count(act) > 0", b"count(", "FEEL"),
    (b"from: party, to: act", b"from: party, to: nobody", "nodes"),
    (b"source: parties", b"source: guesses", "source"),
    (b"text: x, law: y", b"text: x", "law"),
    (b"told: [what]", b"told: 3", "told"),
    (b"title: t\n", b"", "title"),
])
def test_what_cannot_hold_is_refused_with_its_place(old: bytes, new: bytes, why: str) -> None:
    with pytest.raises(DeployRefused) as refused:
        read(GOOD.replace(old, new, 1))
    assert any(why in str(one) for one in refused.value.findings), refused.value.findings
