"""One pack in words: what it holds, who does what, what it uses, what rows it claims."""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from engine.inspection.trace import trace
from engine.inspection.tree import Tree
from engine.kernel.errors import NotFound
from engine.kernel.names import pack_of

KINDS = {
    "process": "流程", "form": "表单", "document": "文书", "piece": "文书片段", "decision": "决策表", "register": "台账", "statistic": "统计", "dictionary": "字典", "parameters": "参数",
    "assessment": "考核", "report": "报表", "page": "页面",
}


def describe_pack(tree: Tree, name: str) -> Iterator[str]:
    """Lines about the pack; raises NotFound."""
    if name not in tree.packs:
        raise NotFound(f"没有业务包 {name}。有：{'、'.join(sorted(tree.packs))}。")
    manifest = tree.packs[name]
    yield f"{name}　{manifest.title}"
    yield f"  系统 {manifest.system or '—'}　归口 {manifest.owner or '—'}　用到 {'、'.join(manifest.uses) or '—'}　连接 {'、'.join(manifest.connects) or '—'}"
    for kind, title in KINDS.items():
        names = [n for n in tree.names(kind) if pack_of(n) == name]
        if names:
            yield f"  {title}：{'、'.join(names)}"
    handlers = sorted(n for n in tree.handlers if pack_of(n) == name)
    if handlers:
        yield f"  处理程序：{'、'.join(handlers)}"
    for process, meta in tree.processes():
        if pack_of(process) == name:
            yield f"  {process}　{meta['title']}"
            yield from _steps(meta)
    yield from _rows(tree, name)


def _steps(meta: Mapping[str, Any]) -> Iterator[str]:
    for node in meta["nodes"].values():
        if node["kind"] == "userTask":
            attributes = node["attributes"]
            outcomes = "、".join(o.get("title") or o["value"] for o in node["outcomes"])
            yield f"    {node['id']:<24}{node['title']}　角色 {attributes.get('role', '—')}　表单 {attributes.get('form', '—')}　{outcomes}"


def _rows(tree: Tree, name: str) -> Iterator[str]:
    proved = set(trace(tree).proved)
    for id, where in tree.claims.get(name, {}).items():
        yield f"  {'已证明' if id in proved else '已认领'} {id}　{where}"
    for row in tree.requirements.values():
        if row.pack == name and row.id not in tree.claims.get(name, {}):
            yield f"  未认领 {row.id}　{row.title}"
