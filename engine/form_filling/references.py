"""Resolves ``$ref``: ``common.party`` (a shared piece), ``common.party#/properties/x`` or ``#/$defs/x`` (the same file)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

DEEPEST = 20


def resolve(
    node: Any, *, root: Mapping[str, Any], common: Callable[[str], Mapping[str, Any]], findings: list[dict[str, Any]], depth: int = 0
) -> Any:
    """``node`` without ``$ref``. Keys beside ``$ref`` win over the piece; the two x-gc blocks are merged."""
    if depth > DEEPEST:
        findings.append({"element": "", "rule": "form.ref", "message": "$ref 套了太多层，像是在引用自己。"})
        return {}
    if isinstance(node, list):
        return [resolve(item, root=root, common=common, findings=findings, depth=depth) for item in node]
    if not isinstance(node, Mapping):
        return node
    if isinstance(node.get("$ref"), str):
        piece, home = _piece(node["$ref"], root, common, findings)
        found = resolve(piece, root=home, common=common, findings=findings, depth=depth + 1)
        beside = {key: value for key, value in node.items() if key != "$ref"}
        merged = {key: value for key, value in found.items() if key not in ("$schema", "$defs")} | beside
        if found.get("x-gc") and beside.get("x-gc"):
            merged["x-gc"] = {**found["x-gc"], **beside["x-gc"]}
        node, root = merged, home if "properties" not in beside else root
    return {
        key: value if key == "x-gc" else resolve(value, root=root, common=common, findings=findings, depth=depth + 1)
        for key, value in node.items()
    }


def _piece(
    ref: str, root: Mapping[str, Any], common: Callable[[str], Mapping[str, Any]], findings: list[dict[str, Any]]
) -> tuple[Any, Mapping[str, Any]]:
    file, _, pointer = ref.partition("#")
    try:
        home = common(file) if file else root
        node: Any = home
        for step in pointer.split("/")[1:]:
            node = node[int(step) if isinstance(node, list) else step.replace("~1", "/").replace("~0", "~")]
    except Exception:
        findings.append({"element": "", "rule": "form.ref", "message": f"$ref 指的“{ref}”找不到。"})
        return {}, root
    return node, home
