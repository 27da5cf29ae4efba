"""会签: ``gc:countersign`` of a user task becomes a multi-instance over its people with the rule of its mode, and a count of the votes behind it."""
from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

from engine.runtime.bpmn.names import bpmn, gc, local
from engine.runtime.bpmn.rewrites.building import add_extension, add_flow, add_node, containers, flow_nodes, flows

MODES = ("all", "ratio", "count", "sequential", "weighted", "veto")
PERSON = "countersigner"
FACTS: Mapping[str, tuple[str, str]] = {
    "agreed": ("boolean", "会签通过"), "votes_for": ("number", "同意票"), "votes_against": ("number", "不同意票"), "votes_abstain": ("number", "弃权票"),
    "votes": ("list", "各人的票"),
}


def countersign(root: etree._Element) -> None:
    """Rewrite every user task that carries a ``gc:countersign``; the task keeps its id, what is put in is generated."""
    for process in root.iter(bpmn("process")):
        for container in list(containers(process)):
            for node in flow_nodes(container):
                rule = node.find(f"{bpmn('extensionElements')}/{gc('countersign')}")
                if rule is not None and local(node) == "userTask" and node.find(bpmn("multiInstanceLoopCharacteristics")) is None:
                    _rewrite(process, container, node, rule)


def _rewrite(process: etree._Element, container: etree._Element, node: etree._Element, rule: etree._Element) -> None:
    prefix, weighted = rule.get("prefix", ""), rule.get("mode") == "weighted"
    if rule.get("role"):
        _find_people(process, container, node, rule, prefix)
    votes = f"{prefix}votes"
    loop = etree.SubElement(node, bpmn("multiInstanceLoopCharacteristics"))
    loop.set("isSequential", "true" if rule.get("mode") == "sequential" else "false")
    loop.set(gc("collection"), _people(rule))
    loop.set(gc("item"), PERSON)
    loop.set(gc("results"), votes)
    loop.set(gc("result"), f"{{stance: outcome, weight: {PERSON}.weight}}" if weighted else "outcome")
    etree.SubElement(loop, bpmn("completionCondition")).text = _decided(rule)
    node.set(gc("assignee"), f"={PERSON}.person" if weighted else f"={PERSON}")
    for name, (kind, title) in FACTS.items():
        _declare(process, prefix + name, kind, title)
    _count_behind(container, node, rule, prefix)


def _find_people(process: etree._Element, container: etree._Element, node: etree._Element, rule: etree._Element, prefix: str) -> None:
    """A generated service task before the task asks who holds the role; what led to the task leads to it now."""
    id, fact = node.get("id", ""), f"{prefix}voters"
    finder = add_node(container, "serviceTask", f"gc_people_{id}", node.get("name", ""))
    finder.set(gc("handler"), "gc.people_of")
    for name in ("role", "unit"):
        if rule.get(name):
            add_extension(finder, "input", name=name, value=rule.get(name, ""))
    add_extension(finder, "output", name="people", fact=fact)
    _declare(process, fact, "list", "会签人")
    rule.set("people", fact)
    for flow in flows(container):
        if flow.get("targetRef") == id:
            flow.set("targetRef", finder.get("id", ""))
    for incoming in node.findall(bpmn("incoming")):
        node.remove(incoming)
    add_flow(container, f"gc_found_{id}", finder.get("id", ""), id)


def _people(rule: etree._Element) -> str:
    return rule.get("people", "").removeprefix("=").strip()


def _votes(rule: etree._Element, votes: str, which: str, stance: str) -> str:
    """FEEL: how many (or of what weight) of ``votes`` took the stance that the rule calls ``which``."""
    word = rule.get(which) or stance
    if rule.get("mode") == "weighted":
        return f'sum(append(for v in {votes} return if v.stance = "{word}" then v.weight else 0, 0))'
    return f'count({votes}[item = "{word}"])'


def _whole(rule: etree._Element) -> str:
    """FEEL: everybody's votes together."""
    people = _people(rule)
    return f"sum(append(for p in ({people}) return p.weight, 0))" if rule.get("mode") == "weighted" else f"count({people})"


def _needed(rule: etree._Element) -> str:
    """FEEL: a condition on ``%s``, the votes for; without a threshold more than half."""
    threshold = rule.get("threshold", "").removeprefix("=").strip()
    if rule.get("mode") == "count":
        return f"%s >= ({threshold or '1'})"
    return f"%s >= ({threshold}) * {_whole(rule)}" if threshold else f"%s * 2 > {_whole(rule)}"


def _decided(rule: etree._Element) -> str:
    """FEEL over ``results``: nobody who has not voted yet can change the outcome."""
    mode, agreed, against = rule.get("mode"), _votes(rule, "results", "agree", "agree"), _votes(rule, "results", "against", "disagree")
    if mode in ("all", "sequential"):
        return f"{agreed} < count(results)"
    if mode == "veto":
        return f"{against} > 0"
    needed, cast = _needed(rule), "sum(append(for v in results return v.weight, 0))" if mode == "weighted" else "count(results)"
    return f"{needed % agreed} or not({needed % f'({_whole(rule)} - {cast} + {agreed})'})"


def _agreed(rule: etree._Element, prefix: str) -> str:
    """FEEL over the facts: whether the countersign has passed. Nobody's vote is no agreement."""
    mode, whole = rule.get("mode"), _whole(rule)
    votes_for, against = f"{prefix}votes_for", f"{prefix}votes_against"
    passed = f"{votes_for} = {whole}" if mode in ("all", "sequential") else f"{against} = 0" if mode == "veto" else _needed(rule) % votes_for
    return f"{votes_for} > 0 and {passed}"


def _declare(process: etree._Element, name: str, kind: str, title: str) -> None:
    holder = process.find(bpmn("extensionElements"))
    if holder is None or all(item.get("name") != name for item in holder):
        add_extension(process, "fact", name=name, type=kind, title=title)


def _count_behind(container: etree._Element, node: etree._Element, rule: etree._Element, prefix: str) -> None:
    """A generated script task behind the task; what left the task leaves it now."""
    id = node.get("id", "")
    counter = add_node(container, "scriptTask", f"gc_count_{id}")
    votes = f"{prefix}votes"
    whole = f"sum(append(for v in {votes} return v.weight, 0))" if rule.get("mode") == "weighted" else f"count({votes})"
    for name, value in (
        ("votes_for", _votes(rule, votes, "agree", "agree")), ("votes_against", _votes(rule, votes, "against", "disagree")),
        ("votes_abstain", f"{whole} - {prefix}votes_for - {prefix}votes_against"), ("agreed", _agreed(rule, prefix)),
    ):
        add_extension(counter, "set", fact=prefix + name, value=value)
    for flow in flows(container):
        if flow.get("sourceRef") == id:
            flow.set("sourceRef", counter.get("id", ""))
            _move(node, counter, flow)
    add_flow(container, f"gc_counted_{id}", id, counter.get("id", ""))


def _move(node: etree._Element, counter: etree._Element, flow: etree._Element) -> None:
    """The references to a flow that has another source now."""
    if node.get("default") == flow.get("id"):
        counter.set("default", node.attrib.pop("default"))
    for outgoing in node.findall(bpmn("outgoing")):
        if (outgoing.text or "").strip() == flow.get("id"):
            node.remove(outgoing)
