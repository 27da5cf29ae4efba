"""What a move to another version would mean for one instance: what fits, what has to be mapped, what stands in the way."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from engine.runtime.bpmn.machine import Machine


@dataclass(frozen=True, kw_only=True)
class Need:
    """A live step that the new version doesn't have. ``choices`` are (id, title) of steps it could become; ``suggested`` one of them or ''."""

    process: str
    node: str
    title: str
    kind: str
    form: str
    choices: tuple[tuple[str, str], ...]
    suggested: str

    @property
    def key(self) -> str:
        """How a mapping names the step."""
        return key_of(self.process, self.node)


@dataclass(frozen=True, kw_only=True)
class Obstacle:
    """Why an instance can't move: the element by its id, and the reason in Chinese."""

    element: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Move:
    """A token that stands on another element, or inside another body, afterwards."""

    process: str
    node: str
    title: str
    to: str
    to_title: str


@dataclass
class Verdict:
    """``machine`` is the instance on the new version, only when nothing is needed and nothing stands in the way."""

    machine: Machine | None = None
    needs: list[Need] = field(default_factory=list)
    obstacles: list[Obstacle] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    facts: list[Obstacle] = field(default_factory=list)

    @property
    def word(self) -> str:
        """fits, mapping or refused."""
        return "refused" if self.obstacles else "mapping" if self.needs else "fits"

    def as_json(self) -> dict[str, Any]:
        return {
            "needs": [{**asdict(need), "key": need.key} for need in self.needs], "obstacles": [asdict(item) for item in self.obstacles],
            "moves": [asdict(item) for item in self.moves], "facts": [asdict(item) for item in self.facts],
        }


def key_of(process: str, node: str) -> str:
    """The key of a step in a mapping: ``<pack>.<process>:<node>``."""
    return f"{process}:{node}"


Mapped = Mapping[str, str]
"""{key of a live step: id of the step it becomes}"""
