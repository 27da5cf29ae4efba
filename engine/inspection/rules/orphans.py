"""No form, document, decision or dictionary that nothing names."""
from __future__ import annotations

from collections.abc import Iterable

from engine.inspection.tree import Finding, Tree
from engine.kernel.errors import DeployRefused
from engine.kernel.names import name_of
from engine.registers.declaration import parse_register

TITLE = "没有谁也不用的文件"
KINDS = {"form": "表单", "document": "文书", "piece": "文书片段", "decision": "决策表", "dictionary": "字典", "register": "台账"}


def check(tree: Tree) -> Iterable[Finding]:
    texts = {key: file.content.decode("utf-8", "replace") for key, file in tree.files.items()}
    code = "\n".join(path.read_text(encoding="utf-8") for path in (tree.root / "handlers").rglob("*.py"))
    for (kind, name), file in tree.files.items():
        if kind not in KINDS or name.startswith("common.") or (kind == "register" and _kept_by_people(file.content, name)):
            continue
        bare = name_of(name)
        quoted = (f'"{bare}"', f"'{bare}'", f'"{name}"', f": {bare}", f" {bare},", f"{name}.", f'"{bare}.', f"{bare}\\\"", f" {bare}}}")
        used = any(any(mark in text for mark in quoted) for key, text in texts.items() if key != (kind, name)) or bare in code
        if not used:
            yield Finding(place=str(file.path.relative_to(tree.root)), rule="orphans", message=f"{KINDS[kind]} {name} 没有谁用到，请删除或接上。")


def _kept_by_people(content: bytes, name: str) -> bool:
    """True for a register whose records people make on its own page: it needs nobody else."""
    try:
        return parse_register(content, name=name).creatable
    except DeployRefused:
        return False
