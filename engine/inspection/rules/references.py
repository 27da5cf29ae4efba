"""Everything that a diagram, form, register or manifest names exists, in the pack itself or in one it uses."""
from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from engine.documents.pieces import included
from engine.inspection.tree import Finding, Tree
from engine.kernel.names import pack_of, qualify
from engine.registers.declaration import parse_register

TITLE = "引用的流程、表单、角色、文书、文书片段、字典、台账字段都存在，且在 uses 里"
CONTENT = {"form": "表单", "document": "文书", "decision": "决策表", "process": "流程"}


def check(tree: Tree) -> Iterable[Finding]:
    yield from _of_diagrams(tree)
    yield from _of_forms(tree)
    yield from _of_documents(tree)
    yield from _of_manifests(tree)


def _of_diagrams(tree: Tree) -> Iterator[Finding]:
    for name, meta in tree.processes():
        place, pack = tree.path("process", name), pack_of(name)
        for kind, title in CONTENT.items():
            for reference in meta["references"][kind]:
                yield from _named(tree, place, pack, reference, title, (kind, reference) in tree.files)
        for role in meta["references"]["role"]:
            yield from _named(tree, place, pack, role, "角色", _has_role(tree, role))


def _of_documents(tree: Tree) -> Iterator[Finding]:
    for name in tree.names("document"):
        pack = pack_of(name)
        for piece in included(tree.files["document", name].content, pack=pack):
            yield from _named(tree, tree.path("document", name), pack, piece, "文书片段", ("piece", piece) in tree.files)


def _has_role(tree: Tree, role: str) -> bool:
    manifest = tree.packs.get(pack_of(role))
    return manifest is not None and role in manifest.roles


def _of_forms(tree: Tree) -> Iterator[Finding]:
    registers = {name: parse_register(tree.versions["register", name].content, name=name) for name in tree.names("register") if ("register", name) in tree.versions}
    for name, form in tree.forms():
        place, pack = tree.path("form", name), pack_of(name)
        for field, gc in _blocks(form):
            if "dictionary" in gc:
                reference = qualify(gc["dictionary"], pack)
                yield from _named(tree, f"{place} {field}", pack, reference, "字典", _has_dictionary(tree, reference))
            if "field" in gc:
                register, _, column = gc["field"].rpartition(".")
                reference = qualify(register, pack)
                known = reference in registers and column in registers[reference].fields
                yield from _named(tree, f"{place} {field}", pack, reference, f"台账字段 {column}：", known)


def _has_dictionary(tree: Tree, reference: str) -> bool:
    shared = tree.root / "forms" / "common" / "dictionaries" / f"{reference.split('.', 1)[1]}.yaml"
    return ("dictionary", reference) in tree.files or (pack_of(reference) == "common" and shared.exists())


def _blocks(schema: Any, name: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(field, x-gc block) of every field, columns of rows included."""
    if isinstance(schema, Mapping):
        if isinstance(schema.get("x-gc"), Mapping) and name:
            yield name, schema["x-gc"]
        for key, inner in (schema.get("properties") or {}).items():
            yield from _blocks(inner, key)
        if isinstance(schema.get("items"), Mapping):
            yield from _blocks(schema["items"], name)


def _of_manifests(tree: Tree) -> Iterator[Finding]:
    for pack, manifest in tree.packs.items():
        place = f"processes/{pack}/pack.yaml"
        for used in manifest.uses:
            if used not in tree.packs:
                yield Finding(place=place, rule="references", message=f"uses 里的 {used} 没有这个包。")
        for connected in manifest.connects:
            if not (tree.root / "integrations" / connected).is_dir():
                yield Finding(place=place, rule="references", message=f"connects 里的 {connected} 不在 integrations/ 下。")
        for process in [*manifest.starts, *manifest.matters, *manifest.begins]:
            if ("process", process) not in tree.files:
                yield Finding(place=place, rule="references", message=f"可发起的流程 {process} 没有流程图。")
        for kind in manifest.kinds.values():
            if kind.register and ("register", kind.register) not in tree.files:
                yield Finding(place=place, rule="references", message=f"案件类别 {kind.name} 的台账 {kind.register} 不存在。")
            if kind.state_field and (kind.register is None or kind.state_field not in _fields_of(tree, kind.register)):
                yield Finding(place=place, rule="references", message=f"案件类别 {kind.name} 的台账没有字段 {kind.state_field}，state_field 要写台账里的一个字段。")
            if kind.number and kind.number not in tree.packs[pack_of(kind.number)].numbers:
                yield Finding(place=place, rule="references", message=f"案件类别 {kind.name} 的编号规则 {kind.number} 不存在。")


def _fields_of(tree: Tree, register: str) -> Collection[str]:
    version = tree.versions.get(("register", register))
    return parse_register(version.content, name=register).fields if version else ()


def _named(tree: Tree, place: str, pack: str, reference: str, what: str, exists: bool) -> Iterator[Finding]:
    if not exists:
        yield Finding(place=place, rule="references", message=f"{what} {reference} 不存在，请改正名字或补上文件。")
    elif not tree.visible(pack, pack_of(reference)):
        yield Finding(place=place, rule="references", message=f"{what} {reference} 是别的包的，请把 {pack_of(reference)} 写进 pack.yaml 的 uses。")
