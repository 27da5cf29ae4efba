"""How a vote stands: what a countersign has counted so far, and who has not been counted."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.runtime.bpmn.loops import MultiInstance
from engine.runtime.bpmn.rewrites.countersign import PERSON
from engine.runtime.bpmn.tokens import find_task


@dataclass(frozen=True, kw_only=True)
class Ballot:
    """One voter: ``person`` (id), ``outcome`` (the button; None: not yet), ``weight`` where votes are weighted, ``asked``: it is their turn."""

    person: str
    outcome: str | None
    weight: float | None
    asked: bool


def is_countersign(node: Any) -> bool:
    """True for a step that ``gc:countersign`` gives to several people."""
    return node.loop is not None and node.loop.item == PERSON


def ballots(top: Any, engine_id: str) -> list[Ballot]:
    """The vote that the token ``engine_id`` is part of, in the order of its people; empty when it is part of none."""
    token = find_task(top, engine_id)
    wrapper = token.parent if token is not None else None
    if wrapper is None or not isinstance(wrapper.task_spec, MultiInstance) or wrapper.task_spec.loop.item != PERSON or "results" not in wrapper.internal_data:
        return []
    inside = wrapper.internal_data
    return [_ballot(item, inside["results"].get(str(index)), asked=index < inside["next"]) for index, item in enumerate(inside["items"])]


def _ballot(item: Any, result: Any, *, asked: bool) -> Ballot:
    weighted = isinstance(item, dict)
    outcome = result.get("stance") if isinstance(result, dict) else result
    return Ballot(person=str(item["person"] if weighted else item), outcome=outcome, weight=item.get("weight") if weighted else None, asked=asked and result is None)
