"""Small diagrams written inside a test, for what is refused or imported."""
from __future__ import annotations

from itertools import pairwise

from engine.kernel.errors import DeployRefused
from engine.runtime.bpmn.deploy import CompiledProcess, compile_process

NAMESPACES = (
    'xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:gc="urn:guicheng:bpmn:1" xmlns:camunda="http://camunda.org/schema/1.0/bpmn" '
    'xmlns:flowable="http://flowable.org/bpmn" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"'
)


def draft(body: str, *, outside: str = "", attributes: str = "") -> bytes:
    """A file with one process ``p`` and this body."""
    return f'<definitions {NAMESPACES}>{outside}<process id="p" name="草图" {attributes}>{body}</process></definitions>'.encode()


def flow(source: str, target: str, condition: str = "", identifier: str = "") -> str:
    inner = f"<conditionExpression>{condition}</conditionExpression>" if condition else ""
    return f'<sequenceFlow id="{identifier or source + "_" + target}" sourceRef="{source}" targetRef="{target}">{inner}</sequenceFlow>'


def line(*nodes: str) -> str:
    """Flows along a row of nodes."""
    return "".join(flow(left, right) for left, right in pairwise(nodes))


def compiled(body: str, *, strict: bool = False, outside: str = "", resolve=lambda name: None) -> CompiledProcess:
    return compile_process(draft(body, outside=outside), name="demo.p", resolve=resolve, strict=strict)


def findings(body: str, *, strict: bool = False, outside: str = "", resolve=lambda name: None) -> list[dict[str, str]]:
    """Every finding, whether the deploy was refused or not."""
    try:
        return compiled(body, strict=strict, outside=outside, resolve=resolve).findings
    except DeployRefused as refused:
        return refused.findings
