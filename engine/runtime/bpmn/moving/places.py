"""Which element of the new version a token stands on, and which it could stand on."""
from __future__ import annotations

from typing import Any

from SpiffWorkflow.task import Task

from engine.runtime.bpmn.model import Model, Node
from engine.runtime.bpmn.moving.verdict import Mapped, key_of
from engine.runtime.bpmn.names import BODIES, HUMAN

KINDS = {**dict.fromkeys(HUMAN, "person"), **dict.fromkeys(BODIES, "body"), "receiveTask": "catch", "intermediateCatchEvent": "catch"}
"""Elements whose tokens are alike; everything else is only like itself."""


class Places:
    """The two versions of one process: ``old`` and ``new`` are its workflows in the instance."""

    def __init__(self, old: Any, new: Any, mapping: Mapped) -> None:
        self.old, self.new, self.mapping = old, new, mapping
        self.nodes: dict[str, Node] = new.spec.model.nodes

    def target(self, task: Task, body: str | None = None) -> Node | None:
        """The node of the new version for a token (``body`` for one whose body continues there), None when there is none."""
        return self.nodes.get(body or self.mapped(task))

    def continues(self, owner: Task, body: str) -> bool:
        """True when ``body`` of the new version is the one that ``owner`` runs: of the same id, or new where the old one is gone."""
        if self.mapped(owner) == body:
            return True
        renamed = self.mapped(owner) not in self.nodes and body not in self.old.spec.model.nodes
        return renamed and alike(owner.task_spec.node, self.nodes[body])

    def mapped(self, task: Task) -> str:
        """The id of the element that the token stands on afterwards."""
        node = task.task_spec.node
        return self.mapping.get(key_of(node.process, node.id), node.id)

    def chain(self, node: Node) -> list[str]:
        """The bodies around a node of the new version, outermost first."""
        return chain_of(self.nodes, node)

    def old_chain(self, task: Task) -> list[str]:
        """The bodies around a token as it stands."""
        return [owner.task_spec.node.id for owner in self.owners(task)]

    def owners(self, task: Task) -> list[Task]:
        """The activities whose bodies the token stands in, outermost first, up to its process."""
        found: list[Task] = []
        workflow = task.workflow
        while workflow is not self.old:
            found.append(workflow.owner)
            workflow = workflow.owner.workflow
        return found[::-1]


def chain_of(nodes: dict[str, Node], node: Node) -> list[str]:
    """Ids of the bodies around a node, outermost first."""
    found: list[str] = []
    scope = node.scope
    while scope:
        found.append(scope)
        scope = nodes[scope].scope
    return found[::-1]


def fits_place(task: Task, node: Node) -> bool:
    """True when the token may stand on ``node``: the same kind of element, repeated in the same way, waiting for the same kind of thing."""
    return alike(task.task_spec.node, node)


def alike(old: Node, new: Node) -> bool:
    """Same kind, same repetition, same event, alike in standing for a body or not."""
    if KINDS.get(old.kind, old.kind) != KINDS.get(new.kind, new.kind) or old.triggered_by_event != new.triggered_by_event or old.compensates != new.compensates:
        return False
    if (old.loop.kind if old.loop else "") != (new.loop.kind if new.loop else ""):
        return False
    return (old.event.kind if old.event else "") == (new.event.kind if new.event else "")


def choices_for(task: Task, model: Model) -> list[Node]:
    """The elements of the new version that the token could stand on."""
    return [node for node in model.nodes.values() if not node.generated and alike(task.task_spec.node, node)]


def suggestion(task: Task, offered: list[Node], old: Model) -> str:
    """The choice that is offered by itself: type and form agree, and it is the only one that is new, or the only one of that title."""
    node = task.task_spec.node
    same = [one for one in offered if one.attributes.get("form", "") == node.attributes.get("form", "")]
    for fitting in ([one for one in same if one.id not in old.nodes and one.title == node.title], [one for one in same if one.id not in old.nodes],
                    [one for one in same if one.title == node.title]):
        if len(fitting) == 1:
            return fitting[0].id
    return ""
