"""The parts of a decision requirements graph, as the XML gives them."""
from __future__ import annotations

from dataclasses import dataclass, field

from engine.decisions.xml import Element, kid, kids


@dataclass
class Requirements:
    """What an element needs: hrefs of inputs, decisions and knowledge, in order."""

    inputs: list[str] = field(default_factory=list)
    decisions: list[str] = field(default_factory=list)
    knowledge: list[str] = field(default_factory=list)


@dataclass
class Part:
    """An input, decision, knowledge model or service. ``kind`` is its tag."""

    kind: str
    id: str
    name: str
    type_reference: str | None
    element: Element
    needs: Requirements

    @property
    def title(self) -> str:
        words = {"decision": "决策", "inputData": "输入", "businessKnowledgeModel": "业务知识模型", "decisionService": "决策服务"}
        return f"{words[self.kind]}“{self.name}”"


KINDS = ("inputData", "decision", "businessKnowledgeModel", "decisionService")


def read_parts(root: Element) -> list[Part]:
    """Every part of the graph in the file."""
    parts = []
    for element in kids(root, *KINDS):
        variable = kid(element, "variable")
        name = element.get("name") or (variable.get("name") if variable is not None else "") or element.get("id") or ""
        reference = variable.get("typeRef") if variable is not None else None
        parts.append(Part(_kind(element), element.get("id") or name, name, reference, element, _requirements(element)))
    return parts


def _kind(element: Element) -> str:
    from engine.decisions.xml import tag
    return tag(element)


def _requirements(element: Element) -> Requirements:
    needs = Requirements()
    for requirement in kids(element, "informationRequirement"):
        for needed in kids(requirement, "requiredInput", "requiredDecision"):
            is_input = needed.tag.endswith("requiredInput")
            (needs.inputs if is_input else needs.decisions).append(needed.get("href") or "")
    for requirement in kids(element, "knowledgeRequirement"):
        needs.knowledge += [needed.get("href") or "" for needed in kids(requirement, "requiredKnowledge")]
    return needs


def hrefs(element: Element, name: str) -> list[str]:
    """The hrefs of the children of one name."""
    return [child.get("href") or "" for child in kids(element, name)]
