"""Exchanges in manifests: the connector is there, the register and its fields exist, an incoming message begins a process."""
from __future__ import annotations

from collections.abc import Iterator

from engine.inspection.tree import Finding, Tree
from engine.kernel.errors import DeployRefused, Invalid
from engine.kernel.names import pack_of
from engine.packs.manifest import Exchange
from engine.registers.conditions import read_condition
from engine.registers.declaration import Register, parse_register

TITLE = "数据交换的连接器、台账、栏目和条件都存在"


def check(tree: Tree) -> Iterator[Finding]:
    for pack, manifest in tree.packs.items():
        for one in manifest.exchanges.values():
            for message in _faults(tree, pack, one, manifest.connects):
                yield Finding(place=f"processes/{pack}/pack.yaml", rule="exchanges", message=f"数据交换 {one.name}：{message}")


def _faults(tree: Tree, pack: str, one: Exchange, connects: tuple[str, ...]) -> Iterator[str]:
    if one.system not in connects:
        yield f"system {one.system} 没有写进 connects。"
    if one.way == "in" and bool(one.message) == bool(one.register and one.key):
        yield "取来的要写 message（开始哪个流程），或者 register 和 key（记进哪个台账、按哪一栏认）。"
    if one.way == "out" and not (one.register and one.fields):
        yield "送出的要写 register 和 fields。"
    if one.register is None:
        return
    if ("register", one.register) not in tree.files or not (pack_of(one.register) == pack or tree.visible(pack, pack_of(one.register))):
        yield f"台账 {one.register} 不存在，或者它的包没有写进 uses。"
        return
    try:
        declared = parse_register(tree.files["register", one.register].content, name=one.register)
    except DeployRefused:
        return  # another rule says what is wrong with it
    yield from _of_fields(one, declared)


def _of_fields(one: Exchange, declared: Register) -> Iterator[str]:
    for name in (*one.fields, *([one.key] if one.key else [])):
        if name not in declared.fields:
            yield f"台账没有栏目 {name}。"
        elif declared.fields[name].secret:
            yield f"栏目 {name} 是加密或者遮盖的，不能交换。"
    if one.where:
        try:
            read_condition(one.where, declared)
        except Invalid as problem:
            yield f"where 不对：{problem.message}"
