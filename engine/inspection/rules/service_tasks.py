"""Every service task names a handler that is registered, with the parameters it takes."""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from engine.inspection.tree import Finding, Tree
from engine.kernel.names import pack_of, qualify

TITLE = "自动步骤的处理程序存在，参数对得上"


def check(tree: Tree) -> Iterable[Finding]:
    for name, meta in tree.processes():
        for node in meta["nodes"].values():
            text = node["attributes"].get("handler", "")
            if node["kind"] == "serviceTask" and text and not text.startswith("="):
                yield from _check_node(tree, name, node, qualify(text, pack_of(name)))


def _check_node(tree: Tree, process: str, node: Mapping[str, Any], reference: str) -> Iterator[Finding]:
    place = f"{tree.path('process', process)} {node['id']}"
    handler = tree.handlers.get(reference)
    if handler is None:
        yield Finding(place=place, rule="service_tasks", message=f"处理程序 {reference} 没有安装，请在 handlers/ 里写好，或改正 gc:handler。")
        return
    if not tree.visible(pack_of(process), pack_of(reference)):
        yield Finding(place=place, rule="service_tasks", message=f"处理程序 {reference} 是别的包的，请把 {pack_of(reference)} 写进 uses。")
    given = {item["name"] for item in node["inputs"]}
    if node["inputs"] and (missing := handler.missing(given)):
        yield Finding(place=place, rule="service_tasks", message=f"处理程序 {reference} 还要参数：{'、'.join(missing)}。")
    if unknown := handler.unknown(given):
        yield Finding(place=place, rule="service_tasks", message=f"处理程序 {reference} 不认识参数：{'、'.join(unknown)}。")
