"""What each kind of content must hold before it becomes a version; one checker per kind."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from engine.deadlines.declared import check_parameters
from engine.decisions import compile_dmn
from engine.decisions.errors import DecisionError
from engine.documents.pieces import pieces_for
from engine.documents.template import check_piece, parse_template
from engine.form_filling.model import Form
from engine.kernel.errors import DeployRefused, GuichengError
from engine.kernel.names import name_of, pack_of
from engine.packs.manifest import parse_manifest
from engine.packs.store import NewVersion
from engine.packs.yaml import read_yaml
from engine.registers.declaration import Register, parse_register
from engine.reporting.assessments.declaration import parse_assessment
from engine.reporting.dashboards import parse_dashboard
from engine.reporting.graphs.declaration import parse_graph
from engine.reporting.reports.declaration import parse_report
from engine.reporting.statistics.declaration import Statistic, parse_statistic, register_named
from engine.runtime.bpmn.deploy import CompiledProcess, compile_process

Lookup = Callable[[str, str], bytes | None]
"""(kind, name) → content of what would be in force, or None."""


def check_content(kind: str, name: str, content: bytes, *, lookup: Lookup, compiled: dict[str, CompiledProcess | None]) -> NewVersion:
    """The version that ``content`` makes; raises DeployRefused with findings. ``compiled`` caches processes of one deploy."""
    checker = CHECKERS.get(kind)
    if checker is None:
        raise DeployRefused(f"不认识的内容种类：{kind}。")
    return checker(name, content, lookup, compiled)


def _manifest(name: str, content: bytes, lookup: Lookup, compiled: dict[str, CompiledProcess | None]) -> NewVersion:
    manifest = parse_manifest(content, pack=pack_of(name))
    return NewVersion(kind="manifest", name=name, title=manifest.title, content=content)


def _process(name: str, content: bytes, lookup: Lookup, compiled: dict[str, CompiledProcess | None]) -> NewVersion:
    process = compile_process(content, name=name, resolve=lambda called: compile_in(called, lookup, compiled))
    return NewVersion(kind="process", name=name, title=process.title, content=content, compiled=process.xml, meta=plain(process.meta()))


def compile_in(name: str, lookup: Lookup, compiled: dict[str, CompiledProcess | None]) -> CompiledProcess | None:
    """The called process ``name``, compiled once per deploy; None when it isn't there or refuses."""
    if name not in compiled:
        content = lookup("process", name)
        compiled[name] = None  # a cycle resolves to "unknown" instead of recursing
        if content is not None:
            compiled[name] = compile_process(content, name=name, resolve=lambda called: compile_in(called, lookup, compiled))
    return compiled[name]


def _form(name: str, content: bytes, lookup: Lookup, compiled: dict[str, CompiledProcess | None]) -> NewVersion:
    definition = _json(name, content)
    if pack_of(name) == "common":  # a piece that forms name by $ref, not a form of its own
        return NewVersion(kind="form", name=name, title=str(definition.get("title", "")), content=content)
    form = Form.load(definition, name=name, common=lambda piece: _json(piece, lookup("form", piece) or b"{}"))
    return NewVersion(kind="form", name=name, title=form.title, content=content)


def _json(name: str, content: bytes) -> Mapping[str, Any]:
    try:
        read = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise DeployRefused(f"表单 {name} 第 {error.lineno} 行第 {error.colno} 列不是合法的 JSON，请检查逗号和引号。") from None
    if not isinstance(read, dict):
        raise DeployRefused(f"表单 {name} 应是一个 JSON 对象。")
    return read


def _decision(name: str, content: bytes, lookup: Lookup, compiled: dict[str, CompiledProcess | None]) -> NewVersion:
    try:
        model = compile_dmn(content)
    except DecisionError as error:
        raise DeployRefused(f"决策表 {name} 不能用：{error.message}", findings=finding_of(name, error)) from None
    findings = [dict(found) for found in model.findings]
    if name_of(name) not in model.decisions:
        findings.append({"element": name, "rule": "decision_name", "message": f"文件里要有一个名称或 id 为 {name_of(name)} 的决策。"})
    if findings:
        raise DeployRefused(f"决策表 {name} 有 {len(findings)} 处不合要求。", findings=findings)
    return NewVersion(kind="decision", name=name, title=name, content=content)


def _register(name: str, content: bytes, lookup: Lookup, compiled: dict[str, CompiledProcess | None]) -> NewVersion:
    return NewVersion(kind="register", name=name, title=parse_register(content, name=name).title, content=content)


def _statistic(name: str, content: bytes, lookup: Lookup, compiled: dict[str, CompiledProcess | None]) -> NewVersion:
    of = register_named(content, name=name)
    found = lookup("register", of)
    if found is None:
        raise DeployRefused(f"统计 {name} 不能用：没有台账 {of}。", findings=[{"element": "of", "rule": "statistic", "message": f"没有台账 {of}。"}])
    statistic = parse_statistic(content, name=name, register=parse_register(found, name=of))
    return NewVersion(kind="statistic", name=name, title=statistic.title, content=content)


def statistic_in(lookup: Lookup) -> Callable[[str], Statistic | None]:
    """What finds a statistic by name among what would be in force."""

    def find(name: str) -> Statistic | None:
        content = lookup("statistic", name)
        register = lookup("register", register_named(content, name=name)) if content is not None else None
        if content is None or register is None:
            return None
        return parse_statistic(content, name=name, register=parse_register(register, name=register_named(content, name=name)))

    return find


def _page(name: str, content: bytes, lookup: Lookup, compiled: dict[str, CompiledProcess | None]) -> NewVersion:
    return NewVersion(kind="page", name=name, title=parse_dashboard(content, name=name, statistic=statistic_in(lookup)).title, content=content)


def _report(name: str, content: bytes, lookup: Lookup, compiled: dict[str, CompiledProcess | None]) -> NewVersion:
    return NewVersion(kind="report", name=name, title=parse_report(content, name=name, statistic=statistic_in(lookup), known=lambda kind, one: lookup(kind, one) is not None).title, content=content)


def _assessment(name: str, content: bytes, lookup: Lookup, compiled: dict[str, CompiledProcess | None]) -> NewVersion:
    found = parse_assessment(content, name=name, statistic=statistic_in(lookup), register=register_in(lookup))
    return NewVersion(kind="assessment", name=name, title=found.title, content=content)


def _graph(name: str, content: bytes, lookup: Lookup, compiled: dict[str, CompiledProcess | None]) -> NewVersion:
    found = parse_graph(content, name=name, register=register_in(lookup), known=lambda kind, one: lookup(kind, one) is not None)
    return NewVersion(kind="graph", name=name, title=found.title, content=content)


def register_in(lookup: Lookup) -> Callable[[str], Register | None]:
    """What finds a register by name among what would be in force."""

    def find(name: str) -> Register | None:
        content = lookup("register", name)
        return parse_register(content, name=name) if content is not None else None

    return find


def _document(name: str, content: bytes, lookup: Lookup, compiled: dict[str, CompiledProcess | None]) -> NewVersion:
    pieces = pieces_for(content, pack=pack_of(name), find=lambda piece: lookup("piece", piece))
    return NewVersion(kind="document", name=name, title=parse_template(content, name=name, pieces=pieces).title, content=content)


def _piece(name: str, content: bytes, lookup: Lookup, compiled: dict[str, CompiledProcess | None]) -> NewVersion:
    return NewVersion(kind="piece", name=name, title=check_piece(content, name=name), content=content)


def _yaml(kind: str) -> Callable[..., NewVersion]:
    def check(name: str, content: bytes, lookup: Lookup, compiled: dict[str, CompiledProcess | None]) -> NewVersion:
        read = read_yaml(content, file=name)
        title = read.get("title", "") if isinstance(read, dict) else ""
        return NewVersion(kind=kind, name=name, title=str(title), content=content)

    return check


def _parameters(name: str, content: bytes, lookup: Lookup, compiled: dict[str, CompiledProcess | None]) -> NewVersion:
    faults = check_parameters(name, read_yaml(content, file=name) or {})
    if faults:
        raise DeployRefused(f"参数 {name} 有 {len(faults)} 处不合要求：{'；'.join(faults)}", findings=[{"element": name, "rule": "parameters", "message": fault} for fault in faults])
    return NewVersion(kind="parameters", name=name, title="", content=content)


def plain(value: Any) -> Any:
    """JSON-able copy of a compiled process's description."""
    return orjson.loads(orjson.dumps(value, default=str))


CHECKERS: dict[str, Callable[..., NewVersion]] = {
    "manifest": _manifest, "process": _process, "form": _form, "decision": _decision, "register": _register, "document": _document,
    "piece": _piece, "statistic": _statistic,
    "dictionary": _yaml("dictionary"), "parameters": _parameters, "report": _report, "page": _page, "assessment": _assessment, "graph": _graph,
}


def finding_of(name: str, error: GuichengError) -> list[dict[str, Any]]:
    """Findings of a refusal, or the message itself as one."""
    return getattr(error, "findings", None) or [{"element": name, "rule": "content", "message": error.message}]
