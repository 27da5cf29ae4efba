"""Look at a BPMN file from anywhere: each of its processes compiled or refused, calls among them resolved."""
from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lxml import etree

from engine.kernel.errors import DeployRefused, TooLarge
from engine.runtime.bpmn.deploy import CompiledProcess, compile_process
from engine.runtime.bpmn.errors import Finding, finding
from engine.runtime.bpmn.names import bpmn
from engine.runtime.bpmn.read import read_bpmn

MAX_CALLS = 60


@dataclass(frozen=True, slots=True)
class Inspected:
    """One process of a file: ``compiled`` is None when it was refused."""

    process: str
    compiled: CompiledProcess | None
    findings: list[Finding]


def inspect_file(xml: bytes, *, pack: str, resolve: Callable[[str], CompiledProcess | None], strict: bool) -> list[Inspected]:
    """Every process of a file with its findings. Never raises for what is in the file: an unreadable one yields one entry with process ''."""
    return list(inspect_each(xml, pack=pack, resolve=resolve, strict=strict)[1])


def inspect_each(
    xml: bytes, *, pack: str, resolve: Callable[[str], CompiledProcess | None], strict: bool
) -> tuple[list[str], Iterator[Inspected]]:
    """The ids of the processes of a file, and each looked at when its turn comes."""
    try:
        root = read_bpmn(xml)
    except (DeployRefused, TooLarge) as error:
        return [""], iter([Inspected("", None, getattr(error, "findings", None) or [finding("", "too_large", error.message)])])
    processes = list(root.iterchildren(bpmn("process")))
    ids = [element.get("id", "") for element in processes if len(element)]
    if not ids and processes:
        hollow = [element.get("id", "") for element in processes]
        return hollow, iter([Inspected(name, None, [finding(name, "empty", f"流程“{name}”里什么也没有画。请在设计器里画上环节。")]) for name in hollow])
    if not ids:
        return [""], iter([Inspected("", None, [finding("", "empty", "文件里没有流程。请在设计器里画一个可执行的流程。")])])
    return ids, _File(root, pack, ids, resolve, strict).each()


class _File:
    """The processes of one file, compiled once; they may call each other."""

    def __init__(self, root: etree._Element, pack: str, ids: list[str], resolve: Callable[[str], CompiledProcess | None], strict: bool) -> None:
        self.pack, self.ids, self.resolve, self.strict = pack, ids, resolve, strict
        self.processes = list(root.iterchildren(bpmn("process")))
        for element in [*self.processes, *(child for child in root if etree.QName(child).localname == "BPMNDiagram")]:
            root.remove(element)
        self.shared = root
        self.done: dict[str, Inspected] = {}
        self.busy: set[str] = set()

    def each(self) -> Iterator[Inspected]:
        for process_id in self.ids:
            yield self.one(process_id)

    def one(self, process_id: str) -> Inspected:
        if process_id in self.busy:
            message = f"流程“{process_id}”经调用活动又调回自己，形成递归。请拆开相互调用。"
            return Inspected(process_id, None, [finding(process_id, "call_recursion", message)])
        if len(self.busy) > MAX_CALLS and process_id not in self.done:
            message = f"调用活动一层套一层，超过 {MAX_CALLS} 层。请减少层次。"
            return Inspected(process_id, None, [finding(process_id, "call_recursion", message)])
        if process_id not in self.done:
            self.busy.add(process_id)
            self.done[process_id] = self._compile(process_id)
            self.busy.discard(process_id)
        return self.done[process_id]

    def _compile(self, process_id: str) -> Inspected:
        name = f"{self.pack}.{process_id or 'process'}"
        try:
            compiled = compile_process(self._alone(process_id), name=name, resolve=self._called, strict=self.strict, process_id=process_id)
        except DeployRefused as error:
            return Inspected(process_id, None, [dict(item) for item in error.findings])
        return Inspected(process_id, compiled, compiled.findings)

    def _alone(self, process_id: str) -> bytes:
        """The file with this process only, and without the drawing."""
        root = copy.deepcopy(self.shared)
        root.extend(copy.deepcopy(element) for element in self.processes if element.get("id", "") == process_id)
        return etree.tostring(root)

    def _called(self, name: str) -> CompiledProcess | None:
        bare = name if name in self.ids else name.removeprefix(f"{self.pack}.")
        if bare not in self.ids:
            return self.resolve(name)
        found = self.one(bare)
        if found.compiled is None:
            raise DeployRefused(found.findings[0]["message"], findings=found.findings)
        return found.compiled
