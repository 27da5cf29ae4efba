"""``gc:certificate`` names kinds of certificates that there are, and stands where people act."""
from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.kernel.certificate_kinds import KINDS
from engine.runtime.bpmn.errors import Finding, finding
from engine.runtime.bpmn.model import Model


def check(model: Model, called: Mapping[str, Model], calls: Mapping[str, str]) -> Iterator[Finding]:
    places = [(model.id, f"流程「{model.title}」", model.attributes), *((node.id, f"用户任务{node.label}", node.attributes) for node in model.nodes.values())]
    for element, label, attributes in places:
        for word in attributes.get("certificate", "").split():
            if word not in KINDS:
                yield finding(element, "certificate", f"{label}的 gc:certificate 里“{word}”不认识。可以写 {'、'.join(f'{kind}（{title}）' for kind, title in KINDS.items())}，用空格分开。")
        if attributes.get("certificate") and attributes.get("party"):
            yield finding(element, "certificate", f"{label}由当事人办理，不能要求证件。请去掉 gc:certificate。")
