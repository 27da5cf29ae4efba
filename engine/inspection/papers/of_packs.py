"""What the packs say, as blocks: steps of each process, fields of each form and register, roles, limits."""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from engine.inspection.papers.blocks import Block, heading, item, para, table
from engine.inspection.papers.markdown import read_file
from engine.inspection.tree import Tree
from engine.kernel.names import pack_of
from engine.packs.yaml import read_yaml
from engine.registers.declaration import parse_register

UNITS = {"working_day": "个工作日", "day": "天", "hour": "小时", "month": "个月"}
NOT_STEPS = frozenset({"exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway", "startEvent", "endEvent", "boundaryEvent"})
KINDS = {
    "process": "流程", "form": "表单", "document": "文书", "decision": "决策表", "register": "台账", "statistic": "统计", "report": "报表", "assessment": "考核", "page": "页面",
}


def functions(tree: Tree) -> Iterator[Block]:
    """Every thing that a pack gives people, one row each."""
    for pack, manifest in sorted(tree.packs.items()):
        yield heading(f"{manifest.title}（{pack}）", 2)
        rows = [(KINDS[kind], _title(tree, kind, name), name) for kind in KINDS for name in tree.names(kind) if pack_of(name) == pack]
        yield table(("种类", "名称", "代号"), rows)


def design(tree: Tree) -> Iterator[Block]:
    """Each pack in full: law, roles, steps, forms, registers, limits of time."""
    forms = dict(tree.forms())
    processes = dict(tree.processes())
    for pack, manifest in sorted(tree.packs.items()):
        yield heading(f"{manifest.title}（{pack}）", 2)
        yield para(f"系统：{manifest.system or '共用'}。归口：{manifest.owner or '平台'}。依据：{'、'.join(manifest.law) or '没有专门的'}。用到：{'、'.join(manifest.uses) or '没有'}。")
        if manifest.roles:
            yield heading("角色", 3)
            yield table(("角色", "岗位", "单位"), [(role.title, role.post, role.unit) for role in manifest.roles.values()])
        for name, meta in processes.items():
            if pack_of(name) == pack:
                yield heading(f"流程：{meta['title']}（{name}）", 3)
                yield table(("步骤", "代号", "种类", "谁办", "表单或处理", "期限", "能怎么办"), [_step(node) for node in meta["nodes"].values() if node["kind"] not in NOT_STEPS])
        for name, form in forms.items():
            if pack_of(name) == pack:
                yield heading(f"表单：{form.get('title') or name}（{name}）", 3)
                yield table(("栏目", "代号", "类型", "必填"), _fields(form))
        for name in tree.names("register"):
            if pack_of(name) == pack and ("register", name) in tree.versions:
                yield from _register(tree, name)
        yield from _limits(tree, pack)


def how_to(tree: Tree) -> Iterator[Block]:
    """For users: what each pack is for, and for each process who does what in which order."""
    processes = dict(tree.processes())
    for pack, manifest in sorted(tree.packs.items()):
        yield heading(manifest.title, 2)
        readme = tree.root / "processes" / pack / "README.md"
        if readme.exists():
            yield from read_file(readme, below=2, skip_title=True)
        for name, meta in processes.items():
            if pack_of(name) == pack:
                yield heading(f"{meta['title']}：谁办哪一步", 3)
                for node in meta["nodes"].values():
                    if node["kind"] == "userTask":
                        outcomes = "、".join(str(one.get("title") or one["value"]) for one in node["outcomes"])
                        yield item(f"{node['title']}（{_role(tree, node, pack)}）{'：按“' + outcomes.replace('、', '”“') + '”' if outcomes else ''}")


def _title(tree: Tree, kind: str, name: str) -> str:
    version = tree.versions.get((kind, name))
    return version.title if version is not None else name


def _role(tree: Tree, node: Mapping[str, Any], pack: str) -> str:
    name = str(node["attributes"].get("role") or node.get("lane") or "")
    full = name if "." in name else f"{pack}.{name}"
    return next((role.title for manifest in tree.packs.values() for role in manifest.roles.values() if role.name == full), node.get("lane") or "由调用处指定")


def _step(node: Mapping[str, Any]) -> tuple[str, ...]:
    given = node["attributes"]
    outcomes = "、".join(str(one.get("title") or one["value"]) for one in node["outcomes"])
    work = given.get("form") or given.get("handler") or given.get("decision") or node.get("called") or ""
    return node["title"] or node["id"], node["id"], node["kind"], str(given.get("role") or node.get("lane") or ""), str(work), _span(str(given.get("due") or "")), outcomes


def _span(text: str) -> str:
    for unit, word in UNITS.items():
        text = text.replace(f" {unit}", word)
    return text


def _fields(form: Mapping[str, Any]) -> list[tuple[str, ...]]:
    needed = set(form.get("required") or ())
    return [(one.get("title") or name, name, str((one.get("x-gc") or {}).get("widget") or one.get("type") or ""), "是" if name in needed else "")
            for name, one in (form.get("properties") or {}).items()]


def _register(tree: Tree, name: str) -> Iterator[Block]:
    found = parse_register(tree.versions["register", name].content, name=name)
    yield heading(f"台账：{found.title}（{name}）", 3)
    fields = found.fields.values() if isinstance(found.fields, Mapping) else found.fields
    yield table(("栏目", "代号", "类型", "必填", "加密"), [(one.title, one.name, one.type, "是" if one.required else "", "是" if one.encrypt else "") for one in fields])


def _limits(tree: Tree, pack: str) -> Iterator[Block]:
    file = tree.files.get(("parameters", f"{pack}.parameters"))
    read = read_yaml(file.content, file=file.name) or {} if file else {}
    rows = [(one.get("title", name), value.get("value"), one.get("unit", ""), value.get("from"), value.get("law", ""))
            for name, one in read.items() if isinstance(one, Mapping) for value in one.get("values") or () if isinstance(value, Mapping)]
    if rows:
        yield heading("法定的数字", 3)
        yield table(("名称", "值", "单位", "从哪天起", "依据"), rows)
