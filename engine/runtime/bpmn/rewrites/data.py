"""Data objects, properties and data associations become facts, inputs and outputs. Data stores stay documentation.

A data object of a process is a fact of the process; one of a sub-process lives in the sub-process only. A data input association gives an
activity a value under the name of its data input, a data output association writes the result of that name to the data object.
"""
from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from engine.expressions import FeelError, compile_expression
from engine.runtime.bpmn.names import BODIES, CONTAINERS, bpmn, gc, local, text_of
from engine.runtime.bpmn.rewrites.building import add_extension, containers

PLACEHOLDER = re.compile(r"__(target|source)Ref_placeholder\Z")
_CARRIERS = ("dataObject", "dataObjectReference", "property")


def fact_name(text: str) -> str:
    """A fact's name for the name of a data object: ``Invoice [approved]`` → ``Invoice``, ``Selected platforms`` → ``Selected_platforms``."""
    name = re.sub(r"\W+", "_", re.sub(r"\[[^\]]*\]\s*\Z", "", text.strip()).strip()).strip("_")
    return f"x_{name}" if name[:1].isdigit() else name


def carry_data(root: etree._Element) -> None:
    """Write what the data associations of every process mean as ``gc:fact``, ``gc:input`` and ``gc:output``."""
    for process in root.iter(bpmn("process")):
        names = _declare(process)
        for element in list(process.iter()):
            if local(element) != "process" and any(True for _ in _associations(element)):
                _carry(element, names)


def _declare(process: etree._Element) -> dict[str, str]:
    """Declare the facts; the fact behind the id of every data object, reference, property, process input and output."""
    names: dict[str, str] = {}
    for container in containers(process):
        declared: dict[str, str] = {}
        for item in [child for child in container if local(child) in _CARRIERS]:
            _object(container, item, names, declared)
        for tag, kind in (("dataInput", "parameter"), ("dataOutput", "result")):
            for item in container.findall(f"{bpmn('ioSpecification')}/{bpmn(tag)}"):
                name = names[item.get("id", "")] = _called(item)
                if container is process:
                    _say(process, kind, name, item.get("name", ""))
                else:
                    declared[name] = item.get("name", "")
        for name, title in declared.items():
            _say(container, "fact", name, title)
    return names


def _object(container: etree._Element, item: etree._Element, names: dict[str, str], declared: dict[str, str]) -> None:
    target = item.get("dataObjectRef", "")
    shared = next((other for other in container if other.get("id") == target), None) if target else None
    if shared is not None and not shared.get("name"):
        shared.set("name", item.get("name", ""))
    owner = shared if shared is not None else item
    if PLACEHOLDER.match(owner.get("name", "")):
        return
    if local(item) == "dataObject" and not item.get("name"):
        item.set("name", _name_of_reference(container, item))
    names[item.get("id", "")] = name = _called(owner)
    declared[name] = owner.get("name", "")


def _name_of_reference(container: etree._Element, item: etree._Element) -> str:
    found = (other.get("name", "") for other in container.iter(bpmn("dataObjectReference")) if other.get("dataObjectRef") == item.get("id"))
    return next((name for name in found if name), item.get("id", ""))


def _called(item: etree._Element) -> str:
    return fact_name(item.get("name", "")) or fact_name(item.get("id", "")) or "data"


def _say(element: etree._Element, tag: str, name: str, title: str) -> None:
    holder = element.find(bpmn("extensionElements"))
    known = [] if holder is None else [item.get("name") for item in holder if item.tag in (gc("fact"), gc("parameter"), gc("result"))]
    if name not in known:
        add_extension(element, tag, name=name, title=" ".join(title.split()))


def _associations(element: etree._Element) -> Iterator[etree._Element]:
    yield from (child for child in element if local(child) in ("dataInputAssociation", "dataOutputAssociation"))


def _inner(element: etree._Element) -> dict[str, str]:
    """Names of the data inputs, outputs and properties of one activity or event, by id."""
    own = [child for child in element if local(child) in ("dataInput", "dataOutput", "property")]
    own += [child for child in element.findall(f"{bpmn('ioSpecification')}/*") if local(child) in ("dataInput", "dataOutput")]
    return {item.get("id", ""): _called(item) for item in own if not PLACEHOLDER.match(item.get("name", ""))}


def _carry(element: etree._Element, names: dict[str, str]) -> None:
    inner = _inner(element)
    many = element.find(bpmn("multiInstanceLoopCharacteristics"))
    for association in list(_associations(element)):
        sources = [text_of(child) for child in association.findall(bpmn("sourceRef"))]
        target = next((text_of(child) for child in association.findall(bpmn("targetRef"))), "")
        if local(association) == "dataInputAssociation":
            fact = next((names[source] for source in sources if source in names), "")
            if many is not None and _is_loop(many, "loopDataInputRef", target, fact):
                _items(element, many, fact)
            else:
                _give(element, inner.get(target) or fact, association, fact)
        else:
            fact = names.get(target, "")
            result = next((inner[source] for source in sources if source in inner), fact)
            if many is not None and _is_loop(many, "loopDataOutputRef", next(iter(sources), ""), fact):
                _results(many, fact)
            elif fact:
                _once(element, "output", result, fact=fact)


def _give(element: etree._Element, name: str, association: etree._Element, fact: str) -> None:
    value = _value(association, fact)
    if name and value:
        _once(element, "input", name, value=value)


def _value(association: etree._Element, fact: str) -> str:
    """FEEL of a transformation or assignment, else the data object itself."""
    for path in (bpmn("transformation"), f"{bpmn('assignment')}/{bpmn('from')}"):
        found = association.find(path)
        text = text_of(found).removeprefix("=").strip() if found is not None else ""
        if text and _is_feel(text):
            return "=" + text
    return f"={fact}" if fact else ""


def _is_feel(text: str) -> bool:
    try:
        compile_expression(text)
    except FeelError:
        return False
    return True


def _once(element: etree._Element, tag: str, name: str, **attributes: str) -> None:
    """Add a ``gc`` element unless the diagram says it itself."""
    holder = element.find(bpmn("extensionElements"))
    key = {"input": "name", "output": "fact"}[tag]
    wanted = attributes.get(key, name)
    known = [] if holder is None else [item.get(key) or item.get("name") for item in holder if item.tag == gc(tag)]
    if wanted not in known:
        add_extension(element, tag, name=name, **attributes)


def _is_loop(many: etree._Element, tag: str, identifier: str, fact: str) -> bool:
    found = many.find(bpmn(tag))
    return bool(fact) and found is not None and text_of(found) == identifier


def _items(element: etree._Element, many: etree._Element, fact: str) -> None:
    item = many.find(bpmn("inputDataItem"))
    name = _called(item) if item is not None else "item"
    if many.get(gc("collection")) is None:
        many.set(gc("collection"), fact)
        many.set(gc("item"), name)
    if local(element) not in BODIES | CONTAINERS:
        _once(element, "input", name, value="=" + name)


def _results(many: etree._Element, fact: str) -> None:
    item = many.find(bpmn("outputDataItem"))
    if many.get(gc("results")) is None:
        many.set(gc("results"), fact)
        if item is not None:
            many.set(gc("result"), _called(item))
