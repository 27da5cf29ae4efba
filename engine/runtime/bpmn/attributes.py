"""The ``gc:`` attributes of a node over the facts at a wait."""
from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine.kernel.names import pack_of
from engine.runtime.bpmn.activities import attribute
from engine.runtime.bpmn.values import evaluate, qualified
from engine.runtime.bpmn.waits import Wait

if TYPE_CHECKING:
    from engine.runtime.bpmn.deploy import CompiledProcess

_VISITED = re.compile(r"=\s*visited\(\s*\"([^\"]*)\"\s*\)\s*\Z")


def wait_attributes(process: CompiledProcess, wait: Wait, extra: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes with FEEL evaluated over the facts (and ``extra`` names) and references qualified.

    Keys: every ``gc:`` attribute of the node, and ``outcomes`` (those whose ``when`` holds), ``fields``, ``field_default``, ``returns``,
    ``shows``, ``policy`` (node's or process's). ``=visited("node")`` becomes ``{"visited": "node"}``: who did that node, the caller knows.
    Raises FlowError when an expression fails.
    """
    node = process.nodes[wait.node]
    pack, seen = pack_of(process.name), {**process.model.names, **wait.facts, **extra}
    result: dict[str, Any] = {}
    for name, text in node.attributes.items():
        visited = _VISITED.match(text)
        value = {"visited": visited.group(1)} if visited else attribute(text, seen, node)
        result[name] = qualified(value, name, pack)
    if "policy" not in result and "policy" in process.model.attributes:
        result["policy"] = attribute(process.model.attributes["policy"], seen, node)
    result["outcomes"] = [dict(outcome) for outcome in node.outcomes if _offered(outcome, seen, node)]
    result["fields"], result["field_default"] = dict(node.fields), node.field_default
    result["returns"] = None if node.returns is None else list(node.returns)
    result["shows"] = [{**show, "form": qualified(attribute(show.get("form", ""), seen, node), "form", pack)} for show in node.shows]
    return result


def _offered(outcome: Mapping[str, str], facts: Mapping[str, Any], node: Any) -> bool:
    when = outcome.get("when")
    return not when or evaluate(when, facts, element=node.id, title=node.title, process=node.process) is True
