"""Which rows are known, claimed and proved. Proved = claimed, and every marked test passed in the last recorded run."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from engine.inspection.tree import Tree

RECORD = "requirements/last_run.json"


@dataclass(frozen=True, kw_only=True)
class Trace:
    """Row ids, sorted."""

    known: list[str]
    claimed: list[str]
    proved: list[str]


def trace(tree: Tree) -> Trace:
    """The three lists for the tree."""
    claimed = sorted({id for rows in tree.claims.values() for id in rows if id in tree.requirements})
    outcomes = last_run(tree.root)
    marked: dict[str, set[str]] = {}
    for mark in tree.marks:
        marked.setdefault(mark.id, set()).add(mark.test)
    proved = [id for id in claimed if marked.get(id) and all(outcomes.get(test) for test in marked[id])]
    return Trace(known=sorted(tree.requirements), claimed=claimed, proved=proved)


def last_run(root: Path) -> dict[str, bool]:
    """{test: passed} of marked tests as the last test run recorded it."""
    file = root / RECORD
    record: dict[str, Any] = orjson.loads(file.read_bytes()) if file.exists() else {}
    return {test: bool(passed) for test, passed in record.items()}


def by_system(tree: Tree, found: Trace) -> list[tuple[str, int, int, int]]:
    """(system, known, claimed, proved), in the order of the rows, the total last."""
    claimed, proved = set(found.claimed), set(found.proved)
    rows: dict[str, list[str]] = {}
    for row in tree.requirements.values():
        rows.setdefault(row.system, []).append(row.id)
    counted = [(system, len(ids), len(claimed & set(ids)), len(proved & set(ids))) for system, ids in rows.items()]
    return [*counted, ("合计", len(found.known), len(found.claimed), len(found.proved))]
