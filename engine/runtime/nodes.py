"""What the diagram says about the node of a task: its outcomes, field rights, return targets."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.expressions import compile_expression
from engine.kernel.errors import Invalid
from engine.runtime.application import Application
from engine.runtime.bpmn.deploy import CompiledProcess
from engine.runtime.bundles import process_for
from engine.runtime.work import Row, Work


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One button of a task. ``kind`` submit, return or reject; ``opinion`` required, optional or none."""

    value: str
    title: str
    kind: str = "submit"
    opinion: str = "optional"
    when: str | None = None
    irreversible: bool = False


def process_of(app: Application, instance: Row, process: str) -> CompiledProcess:
    """The compiled process in which a node of this instance stands, as pinned."""
    return process_for(app, app.library.bundle(instance["bundle_id"]), process)


def node_of(app: Application, instance: Row, task: Row) -> Any:
    """The compiled node of a task."""
    return process_of(app, instance, task["process"]).nodes[task["node"]]


def outcomes_of(node: Any, facts: Mapping[str, Any]) -> list[Outcome]:
    """The buttons that this node offers now; a node without any has one plain 提交."""
    drawn = [
        Outcome(value=o["value"], title=o.get("title") or o["value"], kind=o.get("kind", "submit"), opinion=o.get("opinion", "optional"),
                when=o.get("when"), irreversible=o.get("irreversible") in (True, "true"))
        for o in node.outcomes
    ]
    offered = [o for o in drawn if o.when is None or compile_expression(o.when.removeprefix("="), names=facts).evaluate(facts) is True]
    return offered or [Outcome(value="submit", title="提交")]


def shown_nodes(node: Any, facts: Mapping[str, Any]) -> list[str]:
    """Nodes whose answers the step wants shown: those that ``gc:show`` names, or that the FEEL after its ``=`` gives (blanks between several)."""
    named = [show.get("node", "") for show in node.shows]
    texts = [str(compile_expression(name[1:], names=facts).evaluate(facts) or "") if name.startswith("=") else name for name in named]
    return list(dict.fromkeys(one for text in texts for one in text.split()))


def outcome_of(work: Work, value: str) -> Outcome:
    """The chosen outcome; raises Invalid when the node doesn't offer it now."""
    assert work.task is not None
    node = node_of(work.app, work.instance, work.task)
    facts = work.machine.facts(work.task["engine_id"])
    offered = outcomes_of(node, {**facts, "case_id": None} if work.kind == "start" else facts)  # as the page said before there was a case
    for outcome in offered:
        if outcome.value == value:
            return outcome
    titles = "、".join(o.title for o in offered)
    raise Invalid(f"这一步不能选“{value}”，可以选：{titles}。", fields={"outcome": f"请从这些里选一个：{titles}"})


def rights_of(node: Any, fields: list[str]) -> dict[str, str]:
    """{field: write | read | hide} of a node; what the node doesn't name has its default, else write."""
    default = node.field_default or "write"
    return {name: node.fields.get(name, default) for name in fields}
