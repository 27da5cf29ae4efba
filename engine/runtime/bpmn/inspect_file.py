"""Look at a BPMN file from anywhere: each of its processes compiled or refused, calls among them resolved."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from engine.kernel.errors import DeployRefused, TooLarge
from engine.runtime.bpmn.deploy import CompiledProcess, compile_process, process_ids
from engine.runtime.bpmn.errors import Finding, finding


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
        ids = process_ids(xml)
    except (DeployRefused, TooLarge) as error:
        return [""], iter([Inspected("", None, getattr(error, "findings", None) or [finding("", "too_large", error.message)])])
    if not ids:
        return [""], iter([Inspected("", None, [finding("", "empty", "文件里没有流程。请在设计器里画一个可执行的流程。")])])
    return ids, _File(xml, pack, ids, resolve, strict).each()


class _File:
    """The processes of one file, compiled once; they may call each other."""

    def __init__(self, xml: bytes, pack: str, ids: list[str], resolve: Callable[[str], CompiledProcess | None], strict: bool) -> None:
        self.xml, self.pack, self.ids, self.resolve, self.strict = xml, pack, ids, resolve, strict
        self.done: dict[str, Inspected] = {}
        self.busy: set[str] = set()

    def each(self) -> Iterator[Inspected]:
        for process_id in self.ids:
            yield self.one(process_id)

    def one(self, process_id: str) -> Inspected:
        if process_id in self.busy:
            message = f"流程“{process_id}”经调用活动又调回自己，形成递归。请拆开相互调用。"
            return Inspected(process_id, None, [finding(process_id, "call_recursion", message)])
        if process_id not in self.done:
            self.busy.add(process_id)
            self.done[process_id] = self._compile(process_id)
            self.busy.discard(process_id)
        return self.done[process_id]

    def _compile(self, process_id: str) -> Inspected:
        name = f"{self.pack}.{process_id or 'process'}"
        try:
            compiled = compile_process(self.xml, name=name, resolve=self._called, strict=self.strict, process_id=process_id)
        except DeployRefused as error:
            return Inspected(process_id, None, [dict(item) for item in error.findings])
        return Inspected(process_id, compiled, compiled.findings)

    def _called(self, name: str) -> CompiledProcess | None:
        bare = name if name in self.ids else name.removeprefix(f"{self.pack}.")
        if bare not in self.ids:
            return self.resolve(name)
        found = self.one(bare)
        if found.compiled is None:
            raise DeployRefused(found.findings[0]["message"], findings=found.findings)
        return found.compiled
