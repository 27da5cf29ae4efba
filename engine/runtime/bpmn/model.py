"""The model of a normalised diagram: plain data that the linter, the parser, the target finder and the web read."""
from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

ALWAYS = ("case_id", "initiator_id", "unit_id", "outcome", "error_code", "error_message")
"""Names that every process may read without declaring them."""
TALLIES = ("_count", "_tally")
"""What a fan-out adds to the name of its results: how many came back, and how many of each."""


@dataclass(slots=True)
class Flow:
    """A sequence flow. ``generated`` flows were put in by the normaliser and are never drawn or recorded."""

    id: str
    source: str
    target: str
    condition: str | None = None
    title: str = ""
    generated: bool = False


@dataclass(slots=True)
class Event:
    """What an event waits for or throws. ``kind``: none, timer, message, signal, error, escalation, terminate, cancel, conditional, compensate."""

    kind: str = "none"
    name: str = ""
    code: str = ""
    timer: str = ""
    text: str = ""
    correlation: str = ""
    clock: str = ""
    fires: str = ""


@dataclass(slots=True)
class Loop:
    """Multi-instance (``parallel``, ``sequential``) or ``standard`` loop; the texts are FEEL, ``item`` and ``results`` are names.

    ``fanout``: always (each item is a case of its own), never, or '' (above the limit of instances in one case); ``label`` and ``unit``
    are FEEL over the item: what the child case is called and which unit gets it. ``items``: where the caller finds the items (see
    ``engine.runtime.item_source``); each is a case of its own then, however many there are.
    """

    kind: str
    cardinality: str = ""
    collection: str = ""
    item: str = ""
    results: str = ""
    result: str = ""
    condition: str = ""
    maximum: int | None = None
    test_before: bool = False
    fanout: str = ""
    label: str = ""
    unit: str = ""
    items: str = ""


@dataclass(slots=True)
class Node:
    """An element as drawn. ``attributes`` holds its ``gc:`` attributes; ``scope`` the sub-process it stands in ('' = the process)."""

    id: str
    kind: str
    title: str
    process: str
    scope: str = ""
    lane: str = ""
    generated: bool = False
    attributes: dict[str, str] = field(default_factory=dict)
    outcomes: list[dict[str, str]] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)
    field_default: str | None = None
    returns: list[str] | None = None
    correct: dict[str, str] | None = None
    shows: list[dict[str, str]] = field(default_factory=list)
    inputs: list[dict[str, str]] = field(default_factory=list)
    outputs: list[dict[str, str]] = field(default_factory=list)
    sets: list[dict[str, str]] = field(default_factory=list)
    event: Event | None = None
    attached_to: str = ""
    interrupting: bool = True
    called: str = ""
    loop: Loop | None = None
    default: str = ""
    triggered_by_event: bool = False
    compensates: bool = False
    incoming: list[str] = field(default_factory=list)
    outgoing: list[str] = field(default_factory=list)

    @property
    def label(self) -> str:
        """How messages name the element: 「title」 or its id."""
        return f"「{self.title}」（{self.id}）" if self.title and self.title != self.id else f"「{self.id}」"


@dataclass(slots=True)
class Name:
    """A declared parameter, result or fact."""

    name: str
    type: str = "text"
    title: str = ""
    required: bool = False
    default: str | None = None


@dataclass(slots=True)
class Model:
    """One process of a file. ``names``: every name that it declares or writes, null; ``locals``: facts that live in one sub-process only."""

    id: str
    title: str
    process: str
    nodes: dict[str, Node] = field(default_factory=dict)
    flows: dict[str, Flow] = field(default_factory=dict)
    parameters: dict[str, Name] = field(default_factory=dict)
    results: dict[str, Name] = field(default_factory=dict)
    facts: dict[str, Name] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)
    locals: dict[str, list[str]] = field(default_factory=dict)
    names: dict[str, None] = field(default_factory=dict)

    def declare(self) -> None:
        """Collect ``names`` once the nodes are known."""
        written = [item.get("fact") or item.get("name", "") for node in self.nodes.values() for item in [*node.outputs, *node.sets]]
        for loop in (node.loop for node in self.nodes.values() if node.loop is not None):
            written += [loop.results] + [f"{loop.results}{ending}" for ending in TALLIES if loop.results and loop.kind == "parallel"]
        self.names = dict.fromkeys([*self.facts, *self.parameters, *self.results, *written, *ALWAYS])

    def inside(self, scope: str) -> list[Node]:
        """The nodes that stand directly in ``scope`` ('' = the process)."""
        return [node for node in self.nodes.values() if node.scope == scope]

    def boundaries(self, node_id: str) -> list[Node]:
        """The boundary events attached to a node."""
        return [node for node in self.nodes.values() if node.attached_to == node_id]

    def as_json(self) -> dict[str, Any]:
        """The model as JSON-able dicts."""
        return asdict(self)
