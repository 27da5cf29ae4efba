"""Compile a BPMN file: normalise, lint, parse, analyse. Pure; the same bytes give the same result."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from lxml import etree

from engine.kernel.errors import DeployRefused
from engine.kernel.names import is_name, name_of, pack_of, qualify
from engine.runtime.bpmn.blocks import Blocks, find_blocks
from engine.runtime.bpmn.bridge import bridge
from engine.runtime.bpmn.build_model import build_model
from engine.runtime.bpmn.errors import Finding, finding
from engine.runtime.bpmn.importers import import_foreign
from engine.runtime.bpmn.lint import lint_model, lint_source
from engine.runtime.bpmn.lint_rules.expressions import undeclared
from engine.runtime.bpmn.model import Flow, Model, Node
from engine.runtime.bpmn.names import bpmn
from engine.runtime.bpmn.normalise import normalise
from engine.runtime.bpmn.parse import DiagramParser
from engine.runtime.bpmn.read import read_bpmn
from engine.runtime.bpmn.rewrites.global_tasks import inline_global_tasks
from engine.runtime.bpmn.specs import ProcessSpec
from engine.runtime.bpmn.targets import safe_targets

Resolve = Callable[[str], "CompiledProcess | None"]


@dataclass(slots=True)
class CompiledProcess:
    """A process ready to run.

    name        ``<pack>.<name>``                      xml        the normalised file (what runs)
    nodes       element id → Node (gc attributes…)     flows      flow id → Flow; ``generated`` ones are never drawn
    targets     task → tasks it may be returned to     blocks     concurrent blocks (see ``blocks``)
    references  kind → qualified names used: form, handler, decision, document, role, process
    findings    warnings that didn't stop the deploy   called     qualified name → CompiledProcess, transitively
    """

    name: str
    title: str
    xml: bytes
    model: Model
    spec: ProcessSpec
    specs: dict[str, ProcessSpec]
    targets: dict[str, list[str]]
    blocks: Blocks
    references: dict[str, list[str]]
    findings: list[Finding]
    called: dict[str, CompiledProcess] = field(default_factory=dict)

    @property
    def nodes(self) -> dict[str, Node]:
        return self.model.nodes

    @property
    def flows(self) -> dict[str, Flow]:
        return self.model.flows

    def process_of(self, name: str) -> CompiledProcess:
        """This process or one that it calls, by qualified name."""
        return self if name == self.name else self.called[name]

    def meta(self) -> dict[str, Any]:
        """What pages and checks need, JSON-able."""
        model = self.model
        return {
            "name": self.name, "title": self.title, "references": self.references, "targets": self.targets, "findings": self.findings,
            "nodes": {node.id: asdict(node) for node in model.nodes.values() if not node.generated},
            "flows": {flow.id: asdict(flow) for flow in model.flows.values() if not flow.generated},
            "parameters": [asdict(item) for item in model.parameters.values()], "results": [asdict(item) for item in model.results.values()],
            "facts": [asdict(item) for item in model.facts.values()], "calls": sorted(self.called), "attributes": model.attributes,
        }


def compile_process(xml: bytes, *, name: str, resolve: Resolve, strict: bool = True, process_id: str | None = None) -> CompiledProcess:
    """Compile the process ``name`` of a file; ``resolve`` gives called processes (None = unknown).

    Raises TooLarge or DeployRefused with all findings. Not ``strict``: a trial, where gaps (findings of level ``policy``) are bridged.
    ``process_id`` chooses among several processes of a file; by default the one whose id is the name, or the only one.
    """
    drawn = read_bpmn(xml)
    wanted = _alone(drawn, process_id or name_of(name))
    inline_global_tasks(drawn)
    source, findings = import_foreign(drawn)
    findings += lint_source(source)
    _refuse(findings, strict)
    root = normalise(source)
    element = next(item for item in root.iterchildren(bpmn("process")) if item.get("id", "") == wanted)
    model = build_model(element, name=name)
    called, calls = _called(model, resolve, findings)
    findings += lint_model(model, {reference: process.model for reference, process in called.items()}, calls)
    _refuse(findings, strict)
    if any(item["level"] == "policy" for item in findings):
        bridge(element, waiting={node.id for node in model.nodes.values() if node.kind == "callActivity" and calls.get(node.id) not in called})
        model = build_model(element, name=name)
        model.names.update(dict.fromkeys(undeclared(model)))
    blocks = find_blocks(model)
    own = DiagramParser(model, calls).specs(element)
    specs: dict[str, ProcessSpec] = dict(own)
    for process in called.values():
        specs.update(process.specs)
    return CompiledProcess(
        name=name, title=model.title, xml=etree.tostring(root, xml_declaration=True, encoding="UTF-8"), model=model, spec=own[name], specs=specs,
        targets=safe_targets(model, blocks), blocks=blocks, references=references_of(model, calls), findings=findings, called=called,
    )


def _alone(root: etree._Element, wanted: str) -> str:
    """Leave one process in the file, ``wanted`` or the only one; its id."""
    processes = list(root.iterchildren(bpmn("process")))
    chosen = [element for element in processes if element.get("id") == wanted] or processes
    if len(chosen) != 1:
        message = f"文件里有 {len(processes)} 个流程，其中没有唯一的“{wanted}”。一个文件应只有一个流程，其 id 与文件名相同。"
        raise DeployRefused(message, findings=[finding("", "one_process", message)])
    for element in processes:
        if element is not chosen[0]:
            root.remove(element)
    return chosen[0].get("id", "")


def _called(model: Model, resolve: Resolve, findings: list[Finding]) -> tuple[dict[str, CompiledProcess], dict[str, str]]:
    """The called processes, transitively, and the qualified name per call activity."""
    called: dict[str, CompiledProcess] = {}
    calls: dict[str, str] = {}
    for node in model.nodes.values():
        if node.kind != "callActivity":
            continue
        if not node.called:
            continue
        reference = _reference(node, pack_of(model.process), findings)
        calls[node.id] = reference
        if reference == model.process:
            findings.append(finding(node.id, "call_recursion", f"调用活动{node.label}调用了自己所在的流程。请改用循环（返回前面的环节）。"))
            continue
        try:
            process = resolve(reference)
        except DeployRefused as refused:
            findings.append(_refused_call(node, reference, refused))
            continue
        if process is None:
            message = f"调用活动{node.label}的被调流程“{reference}”不存在。请先部署它，或改正 calledElement。"
            findings.append(finding(node.id, "call_unknown", message, "policy"))
            continue
        called[reference] = process
        called.update(process.called)
        if model.process in process.called:
            findings.append(finding(node.id, "call_recursion", f"调用活动{node.label}经“{reference}”又调回本流程，形成递归。请拆开相互调用。"))
    return called, calls


def _refused_call(node: Node, reference: str, refused: DeployRefused) -> Finding:
    recursion = any(item["rule"] == "call_recursion" for item in refused.findings)
    message = f"调用活动{node.label}的被调流程“{reference}”有问题：{refused.message[:150]} 请先改正它。"
    return finding(node.id, "call_recursion" if recursion else "call_refused", message, "error" if recursion else "policy")


def _reference(node: Node, pack: str, findings: list[Finding]) -> str:
    """What a call activity calls, qualified; names outside the grammar (diagrams from elsewhere) are looked for in the same pack."""
    try:
        return qualify(node.called, pack)
    except ValueError:
        message = f"调用活动{node.label}的被调流程“{node.called}”不是合法的引用名。请写作 包名.流程名。"
        findings.append(finding(node.id, "call_reference", message, "policy"))
        return f"{pack}.{node.called.rsplit(':', 1)[-1]}"


def _refuse(findings: list[Finding], strict: bool) -> None:
    stopping = [item for item in findings if item["level"] == "error" or strict and item["level"] == "policy"]
    if stopping:
        more = f"（共 {len(stopping)} 处问题）" if len(stopping) > 1 else ""
        raise DeployRefused(f"流程图不能部署：{stopping[0]['message']}{more}", findings=findings)


def references_of(model: Model, calls: Mapping[str, str]) -> dict[str, list[str]]:
    """The content that a process names literally, by kind, qualified and sorted."""
    found: dict[str, set[str]] = {kind: set() for kind in ("form", "handler", "decision", "document", "role", "process")}
    pack = pack_of(model.process)
    found["process"].update(calls.values())
    for node in model.nodes.values():
        for kind in ("form", "handler", "decision", "document", "role"):
            _add(found[kind], node.attributes.get(kind, ""), pack)
        for show in node.shows:
            _add(found["form"], show.get("form", ""), pack)
        if node.attributes.get("handler", "").endswith("document"):
            for item in node.inputs:
                if item.get("name") == "document":
                    _add(found["document"], item.get("value", ""), pack)
    return {kind: sorted(names) for kind, names in found.items()}


def _add(names: set[str], text: str, pack: str) -> None:
    if text and not text.startswith("="):
        names.add(f"{pack}.{text}" if is_name(text) else text)
