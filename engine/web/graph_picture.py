"""Where the boxes and lines of a case's graph stand: one column a level, groups below one another, text broken into lines."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.runtime.case_graph.build import CaseGraph
from engine.runtime.case_graph.nodes import Node

WIDTH, GAP, PAD, LINE = 208, 56, 9, 19
"""Width of a box, room between columns, room inside a box, height of a line, in CSS pixels."""
BOX_GAP, GROUP_GAP, HEAD = 8, 18, 22
PER_LINE, MOST_LINES = 27, 4
"""Half-width letters in a line; lines of a text before it is cut."""
CLOSING = "》）」』】，。、；：！？”’-%"
"""Never begins a line."""


@dataclass(frozen=True, kw_only=True)
class Box:
    """One node: upper left corner, height, lines of text and of the note."""

    x: float
    y: float
    height: float
    node: Node
    lines: Sequence[str]
    note: Sequence[str]
    whole: str


@dataclass(frozen=True, kw_only=True)
class Picture:
    """``heads`` are (x, y, title) of groups, ``lines`` (path, x, y, title) of edges with the title once for each kind."""

    width: float
    height: float
    boxes: Sequence[Box]
    heads: Sequence[tuple[float, float, str]]
    lines: Sequence[tuple[str, float, float, str]]


def picture(graph: CaseGraph) -> Picture:
    """The drawing of ``graph``; columns without a node are left out."""
    levels = sorted({group.level for group, _ in graph.groups})
    columns = {level: place for place, level in enumerate(levels)}
    heads: list[tuple[float, float, str]] = []
    placed: dict[str, list[Box]] = {}
    depth = dict.fromkeys(levels, 0.0)
    for group, nodes in graph.groups:
        x, y = columns[group.level] * (WIDTH + GAP) + 1.0, depth[group.level]
        heads.append((x, y + 14, group.title))
        y += HEAD
        placed[group.name] = []
        for node in nodes:
            placed[group.name].append(_box(node, x, y))
            y += placed[group.name][-1].height + BOX_GAP
        depth[group.level] = y + GROUP_GAP
    lines = [line for edge in graph.edges for line in _lines(placed[edge.start], placed[edge.end], edge.title)]
    return Picture(
        width=len(levels) * (WIDTH + GAP) - GAP + 2, height=max(depth.values(), default=0) - GROUP_GAP, boxes=[box for boxes in placed.values() for box in boxes], heads=heads, lines=lines,
    )


def _box(node: Node, x: float, y: float) -> Box:
    lines, note = broken(node.text, MOST_LINES), [*broken(node.note, MOST_LINES), *broken(node.law, MOST_LINES)]
    return Box(x=x, y=y, height=2 * PAD + LINE * (len(lines) + len(note)), node=node, lines=lines, note=note, whole="　".join(part for part in (node.text, node.note, node.law) if part))


def broken(text: str, most: int) -> list[str]:
    """``text`` in lines of PER_LINE half-width letters, the last with … when some is left."""
    lines, line, wide = [""], 0, 0
    for letter in text.replace("\n", " "):
        size = 1 if ord(letter) < 0x2E80 else 2
        if wide + size > PER_LINE and letter not in CLOSING:
            if line + 1 == most:
                lines[line] = lines[line][:-1] + "…"
                break
            lines.append("")
            line, wide = line + 1, 0
            if letter.isspace():
                continue
        lines[line] += letter
        wide += size
    return [one for one in lines if one]


def _lines(starts: Sequence[Box], ends: Sequence[Box], title: str) -> list[tuple[str, float, float, str]]:
    """From the right side of each start to the left side of each end; above 24 pairs only between the first and all."""
    pairs: list[tuple[Any, Any]] = [(start, end) for start in starts for end in ends]
    if len(pairs) > 24:
        pairs = [(starts[0], end) for end in ends]
    made = []
    for place, (start, end) in enumerate(pairs):
        x1, y1, x2, y2 = start.x + WIDTH, start.y + start.height / 2, end.x, end.y + end.height / 2
        bend = min(GAP / 2, (x2 - x1) / 2)
        made.append((f"M{x1:g} {y1:g}C{x1 + bend:g} {y1:g} {x2 - bend:g} {y2:g} {x2:g} {y2:g}", x2 - GAP / 2, y2 - 4, title if place == 0 else ""))
    return made
