"""Every clock that a diagram or a step of a clock names is declared in a parameters.yaml, and so is every act that a clock blocks."""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lxml import etree

from engine.deadlines.rules import HOURS, UNITS
from engine.inspection.tree import Finding, Tree
from engine.kernel.names import pack_of, qualify
from engine.packs.yaml import read_yaml

TITLE = "图上写的期限都有声明，期限要禁止的步骤都在图上"
GC = "{urn:guicheng:bpmn:1}"
TASKS = frozenset({"gc.start_clock", "gc.extend_clock", "gc.suspend_clock", "gc.resume_clock", "gc.exclude_span", "gc.end_clock"})


def check(tree: Tree) -> Iterable[Finding]:
    declared = dict(_declared(tree))
    for name, _ in tree.processes():
        place = tree.path("process", name)
        for element, clock in _named(tree.files["process", name].content):
            if qualify(clock, pack_of(name)) not in declared:
                yield Finding(place=f"{place} {element}", rule="clocks", message=f"期限 {clock} 没有在 parameters.yaml 里声明，请改正名字或补上。")
    nodes = {name: set(meta.get("nodes", {})) for name, meta in tree.processes()}
    for clock, parameter in declared.items():
        for act in _blocked(parameter):
            process, _, rest = act.partition("/")
            if process not in nodes or (rest and rest.split("/")[0] not in nodes[process]):
                yield Finding(place=f"processes/{pack_of(clock)}/parameters.yaml", rule="clocks", message=f"{clock} 的 block 写的 {act} 不在图上。")


def _declared(tree: Tree) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name in tree.names("parameters"):
        for key, parameter in (read_yaml(tree.files["parameters", name].content, file=name) or {}).items():
            if isinstance(parameter, Mapping) and parameter.get("unit") in (UNITS | HOURS):
                yield f"{pack_of(name)}.{key}", parameter


def _named(content: bytes) -> Iterator[tuple[str, str]]:
    """(element id, clock) of every clock that the diagram names literally, labels left out."""
    for element in etree.fromstring(content).iter(etree.Element):
        for attribute, start in (("due", "clock:"), ("clock", "")):
            text = element.get(f"{GC}{attribute}") or ""
            if text.startswith(start) and text and not text.startswith("="):
                yield element.get("id", ""), text.removeprefix(start).partition("/")[0]
        if element.get(f"{GC}handler") in TASKS:
            for given in element.iter(f"{GC}input"):
                value = given.get("value") or ""
                if given.get("name") == "clock" and not value.startswith("="):
                    yield element.get("id", ""), value.partition("/")[0]


def _blocked(parameter: Mapping[str, Any]) -> Iterator[str]:
    for step in parameter.get("steps") or []:
        block = step.get("block") if isinstance(step, Mapping) else None
        yield from ([block] if isinstance(block, str) else block or [])
