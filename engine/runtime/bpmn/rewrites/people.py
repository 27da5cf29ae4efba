"""``people_of("role")`` in FEEL: a generated service task before the element looks it up, and the expression reads the fact it leaves.

An expression sees facts only, so that the same calls give the same state again; who holds a role is in the database. The look-up is made each
time the element is reached along a flow. Only a string, a name or FEEL over facts may stand in the brackets: the role and, if wanted, the unit's id.
"""
from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from engine.runtime.bpmn.names import ACTIVITIES, GC_URI, bpmn, gc, local
from engine.runtime.bpmn.rewrites.building import add_extension, add_flow, add_node, containers, flow_nodes, flows

_CALL = re.compile(r"\bpeople_of\s*\(")
_GC = "{" + GC_URI + "}"
_NEEDED = ("assignee", "collection", "people")


def look_up_people(root: etree._Element) -> None:
    """Rewrite every call in an activity's attributes, repetition and extensions, and in the conditions behind an exclusive gateway."""
    for process in root.iter(bpmn("process")):
        for container in list(containers(process)):
            for node in flow_nodes(container):
                if local(node) in ACTIVITIES or local(node) == "exclusiveGateway":
                    _Node(process, container, node).rewrite()


class _Node:
    """The calls of one element: equal ones are looked up once."""

    def __init__(self, process: etree._Element, container: etree._Element, node: etree._Element) -> None:
        self.process, self.container, self.node = process, container, node
        self.id = node.get("id", "")
        self.known: dict[tuple[str, str, bool], str] = {}

    def rewrite(self) -> None:
        for element, attribute, text in list(self._texts()):
            if not _CALL.search(text):
                continue
            changed = self._replaced(text, needed=attribute in _NEEDED)
            if attribute:
                element.set(_GC + attribute if element.get(_GC + attribute) is not None else attribute, changed)
            else:
                element.text = changed
        for number, ((role, unit, needed), fact) in enumerate(self.known.items()):
            self._find(number, role, unit, needed, fact)

    def _texts(self) -> Iterator[tuple[etree._Element, str, str]]:
        """(element, attribute without prefix or '', text) of everything of this element that may hold FEEL."""
        parts = [self.node, *(part for tag in ("extensionElements", "multiInstanceLoopCharacteristics", "standardLoopCharacteristics")
                              for child in self.node.findall(bpmn(tag)) for part in child.iter())]
        if local(self.node) == "exclusiveGateway":
            leaving = [flow for flow in flows(self.container) if flow.get("sourceRef") == self.id]
            parts = [part for flow in leaving for part in flow.findall(bpmn("conditionExpression"))]
        for part in parts:
            if not isinstance(part.tag, str):
                continue
            for name, text in part.attrib.items():
                key = str(name)
                if key.startswith(_GC) or part.tag.startswith(_GC):
                    yield part, key.removeprefix(_GC), str(text)
            if part is not self.node and part.text:
                yield part, "", part.text

    def _replaced(self, text: str, *, needed: bool) -> str:
        while (match := _CALL.search(text)) is not None:
            end = _closing(text, match.end())
            if end is None:
                return text.replace("people_of", "people of", 1)  # never closed: the expression is refused as it stands
            given = _split(text[match.end():end])
            if not given or len(given) > 2 or not given[0]:
                return text.replace("people_of", "people of", 1)
            fact = self.known.setdefault((given[0], given[1] if len(given) > 1 else "", needed), f"people_for_{re.sub(r'[^0-9A-Za-z_]', '_', self.id)}_{len(self.known) + 1}")
            text = text[: match.start()] + fact + text[end + 1:]
        return text

    def _find(self, number: int, role: str, unit: str, needed: bool, fact: str) -> None:
        finder = add_node(self.container, "serviceTask", f"gc_people{number + 1}_{self.id}", self.node.get("name", ""))
        finder.set(gc("handler"), "gc.people_of")
        add_extension(finder, "input", name="role", value=_input(role))
        if unit:
            add_extension(finder, "input", name="unit", value=_input(unit))
        if not needed:
            add_extension(finder, "input", name="may_be_nobody", value="=true")
        add_extension(finder, "output", name="people", fact=fact)
        add_extension(self.process, "fact", name=fact, type="list", title="按角色找到的人")
        for flow in flows(self.container):
            if flow.get("targetRef") == self.id:
                flow.set("targetRef", finder.get("id", ""))
        for incoming in self.node.findall(bpmn("incoming")):
            self.node.remove(incoming)
        add_flow(self.container, f"gc_found{number + 1}_{self.id}", finder.get("id", ""), self.id)


def _input(text: str) -> str:
    """A literal for a string, else FEEL."""
    plain = re.fullmatch(r'"([^"\\]*)"', text)
    return plain.group(1) if plain else f"={text}"


def _closing(text: str, start: int) -> int | None:
    """Where the bracket that was opened before ``start`` closes, strings left alone."""
    depth, quoted, position = 1, False, start
    while position < len(text):
        letter = text[position]
        if quoted:
            position += letter == "\\"
            quoted = letter != '"'
        elif letter == '"':
            quoted = True
        elif letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
            if depth == 0:
                return position
        position += 1
    return None


def _split(text: str) -> list[str]:
    """The arguments between the commas of the outermost level."""
    parts, start, depth, quoted = [], 0, 0, False
    for position, letter in enumerate(text):
        if letter == '"':
            quoted = not quoted
        elif not quoted and letter in "([{":
            depth += 1
        elif not quoted and letter in ")]}":
            depth -= 1
        elif not quoted and letter == "," and depth == 0:
            parts.append(text[start:position].strip())
            start = position + 1
    return [*parts, text[start:].strip()]
