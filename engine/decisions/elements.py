"""The parts of a decision requirements graph, as the XML gives them."""
from __future__ import annotations

import re
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


_NAME = re.compile(r"[A-Za-z_\u4e00-\u9fff][\w\u4e00-\u9fff]*")
KINDS = ("inputData", "decision", "businessKnowledgeModel", "decisionService")


def read_parts(root: Element) -> list[Part]:
    """Every part of the graph in the file."""
    parts = []
    for element in kids(root, *KINDS):
        variable = kid(element, "variable")
        name = element.get("name") or (variable.get("name") if variable is not None else "") or element.get("id") or ""
        reference = variable.get("typeRef") if variable is not None else None
        parts.append(Part(_kind(element), element.get("id") or name, name, reference, element, _requirements(element)))
    return [*parts, *_imply_inputs(parts)]


def _imply_inputs(parts: list[Part]) -> list[Part]:
    """Files that declare no input at all (as many editors write them): a plain name in the head of a table's input column is one."""
    if any(part.kind == "inputData" for part in parts):
        return []
    known, implied = {part.name for part in parts}, dict[str, Part]()
    for part in parts:
        for table in kids(part.element, "decisionTable") if part.kind == "decision" else ():
            for text in (text_of(column) for column in kids(table, "input")):
                if _NAME.fullmatch(text) and text not in known:
                    made = implied.setdefault(text, Part("inputData", f"implied:{text}", text, None, part.element, Requirements()))
                    part.needs.inputs += [f"#{made.id}"] if f"#{made.id}" not in part.needs.inputs else []
    return list(implied.values())


def text_of(column: Element) -> str:
    """The expression in the head of an input column."""
    expression = kid(column, "inputExpression")
    text = kid(expression, "text") if expression is not None else None
    return (text.text or "").strip() if text is not None else ""


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
