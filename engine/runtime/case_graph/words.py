"""FEEL over the nodes of a graph: conditions, and the sentences that a party reads."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.expressions import compile_expression
from engine.runtime.case_graph.nodes import Asked, Node


def scope_of(asked: Asked, found: Mapping[str, Sequence[Node]], *, bureau: str = "") -> dict[str, Any]:
    """Group → its nodes as contexts; a group without nodes is an empty list."""
    return {"bureau": bureau, **{name: [node.plain() for node in found.get(name, ())] for name in asked.graph.groups}}


def holds(asked: Asked, condition: str, found: Mapping[str, Sequence[Node]]) -> bool:
    scope = scope_of(asked, found)
    return compile_expression(condition, names=scope).evaluate(scope) is True


def sentences(asked: Asked, found: Mapping[str, Sequence[Node]], *, bureau: str) -> list[tuple[str, str]]:
    """(heading, text) of what is to be told; what comes out empty is left out."""
    scope = scope_of(asked, found, bureau=bureau)
    told = []
    for one in asked.graph.words:
        if compile_expression(one.when, names=scope).evaluate(scope) is True:
            text = compile_expression(one.say, names=scope).evaluate(scope)
            told += [(one.title, text)] if isinstance(text, str) and text else []
    return told
