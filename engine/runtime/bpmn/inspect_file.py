"""Look at a BPMN file from anywhere: each of its processes compiled or refused, calls among them resolved."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.kernel.errors import DeployRefused, TooLarge
from engine.kernel.names import name_of
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
    try:
        ids = process_ids(xml)
    except (DeployRefused, TooLarge) as error:
        return [Inspected("", None, getattr(error, "findings", None) or [finding("", "too_large", error.message)])]
    if not ids:
        return [Inspected("", None, [finding("", "empty", "文件里没有流程。请在设计器里画一个可执行的流程。")])]
    done: dict[str, Inspected] = {}
    busy: set[str] = set()

    def local(name: str) -> CompiledProcess | None:
        bare = name_of(name)
        if name != f"{pack}.{bare}" or bare not in ids:
            return resolve(name)
        return one(bare).compiled

    def one(process_id: str) -> Inspected:
        if process_id in done:
            return done[process_id]
        if process_id in busy:
            message = f"流程“{process_id}”经调用活动又调回自己，形成递归。请拆开相互调用。"
            return Inspected(process_id, None, [finding(process_id, "call_recursion", message)])
        busy.add(process_id)
        try:
            compiled = compile_process(xml, name=f"{pack}.{process_id}", resolve=local, strict=strict, process_id=process_id)
            done[process_id] = Inspected(process_id, compiled, compiled.findings)
        except DeployRefused as error:
            done[process_id] = Inspected(process_id, None, [dict(item) for item in error.findings])
        return done[process_id]

    return [one(process_id) for process_id in ids]
