"""``gc:allow`` names acts that there are, ``gc:redo`` a way that there is."""
from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.runtime.bpmn.errors import Finding, finding
from engine.runtime.bpmn.model import Model

REDO = ("again", "straight", "choose")
ACTS = ("transfer", "delegate", "add_signer", "cc", "urge", "deputy")


def check(model: Model, called: Mapping[str, Model], calls: Mapping[str, str]) -> Iterator[Finding]:
    places = [(model.id, f"流程「{model.title}」", model.attributes), *((node.id, f"用户任务{node.label}", node.attributes) for node in model.nodes.values())]
    for element, label, attributes in places:
        for word in attributes.get("allow", "").split():
            if word not in ACTS:
                yield finding(element, "allow", f"{label}的 gc:allow 里“{word}”不认识。可以写 {'、'.join(ACTS)}，用空格分开。")
        redo = attributes.get("redo", "choose")
        if not redo.startswith("=") and redo not in REDO:
            yield finding(element, "redo", f"{label}的 gc:redo 里“{redo}”不认识。可以写 {'、'.join(REDO)}，或者 =参数。")
