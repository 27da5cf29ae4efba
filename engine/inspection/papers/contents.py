"""The documents by name, each with what it is made of. A new one is a function and a line in ``PAPERS``."""
from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import distributions
from pathlib import Path

import orjson

from engine.inspection.papers import of_packs
from engine.inspection.papers.blocks import Block, heading, para, table
from engine.inspection.papers.markdown import read, read_file
from engine.inspection.trace import by_system, last_run, trace
from engine.inspection.tree import Tree
from engine.storage.tables.base import metadata
from engine.web.requirement_rows import BY, topics

Commands = Mapping[str, str]
"""Command → its help, as the command line tells it."""


def requirements(tree: Tree, _: Commands) -> Iterator[Block]:
    claims = {id: where for rows in tree.claims.values() for id, where in rows.items()}
    proved = set(trace(tree).proved)
    systems = sorted({row.system for row in tree.requirements.values()})
    yield para("每一条需求有一个编号，从编号能找到实现和测试；“已证明”是认领了、并且最近一次测试通过。")
    for system in systems:
        yield heading(system)
        rows = [row for row in tree.requirements.values() if row.system == system]
        yield table(("编号", "要求", "业务包", "实现在", "状态"), [
            (row.id, row.title, row.pack, claims.get(row.id, ""), "已证明" if row.id in proved else "已认领" if row.id in claims else "未完成") for row in rows])
    yield heading("非功能要求由谁满足")
    for topic in topics():
        yield table(("编号", "要求", "由谁", "怎样"), [(row.id, row.title, BY[row.by][1], row.how) for row in topic.rows])


def outline(tree: Tree, _: Commands) -> Iterator[Block]:
    yield heading("平台")
    yield from _chapter(tree, "CONTRIBUTING.md", "东西放在哪里", below=0)
    yield heading("业务包")
    yield table(("业务包", "名称", "系统", "归口", "用到"), [
        (name, one.title, one.system or "共用", one.owner or "平台", "、".join(one.uses)) for name, one in sorted(tree.packs.items())])
    yield heading("部署")
    yield from read_file(tree.root / "docs" / "deployment.md", below=1, skip_title=True)
    yield heading("安全")
    yield from read_file(tree.root / "docs" / "security.md", below=1, skip_title=True)
    yield heading("对外接口")
    yield from read_file(tree.root / "docs" / "api.md", below=1, skip_title=True)


def details(tree: Tree, _: Commands) -> Iterator[Block]:
    yield heading("各业务包")
    yield from of_packs.design(tree)
    yield heading("数据库")
    for one in sorted(metadata.tables.values(), key=lambda one: one.name):
        yield heading(f"{one.name}{'：' + one.comment if one.comment else ''}", 2)
        yield table(("列", "类型", "可空", "说明"), [(column.name, str(column.type), "是" if column.nullable else "", column.comment or "") for column in one.columns])


def confirmation(tree: Tree, _: Commands) -> Iterator[Block]:
    proved = set(trace(tree).proved)
    yield para("建设单位、承建单位、监理单位逐条确认。状态由测试记录得出：“已证明”以外的，确认前先看说明。")
    yield table(("编号", "功能需求", "状态", "建设单位", "承建单位", "监理单位"), [
        (row.id, row.title, "已证明" if row.id in proved else "", "", "", "") for row in tree.requirements.values()])
    yield table(("单位", "代表签字", "日期"), [("建设单位", "", ""), ("承建单位", "", ""), ("监理单位", "", "")])


def tests(tree: Tree, _: Commands) -> Iterator[Block]:
    found = trace(tree)
    yield heading("结论")
    yield table(("系统", "需求", "已认领", "已证明"), [(system, *numbers) for system, *numbers in by_system(tree, found)])
    yield heading("逐条")
    outcomes = last_run(tree.root)
    yield table(("编号", "测试", "结果"), [
        (mark.id, mark.test.replace("tests/", "", 1), {True: "通过", False: "没有通过", None: "没有运行"}[outcomes.get(mark.test)])
        for mark in sorted(tree.marks, key=lambda one: (one.id, one.test))])
    yield heading("怎样测试")
    yield from _chapter(tree, "CONTRIBUTING.md", "测试", below=0)
    yield heading("量过的数字")
    yield from read_file(tree.root / "docs" / "bench.md", below=1, skip_title=True)


def users(tree: Tree, _: Commands) -> Iterator[Block]:
    yield from _chapter(tree, "README.md", "五分钟看一遍", below=-1)
    yield from read_file(tree.root / "docs" / "tour" / "README.md")
    yield heading("各项业务")
    yield from of_packs.how_to(tree)
    yield heading("名词")
    yield from read_file(tree.root / "docs" / "GLOSSARY.md", below=1, skip_title=True)


def deployment(tree: Tree, commands: Commands) -> Iterator[Block]:
    yield heading("安装")
    yield from read(_before(_text(tree, "README.md"), "五分钟看一遍"), folder=tree.root, below=1)
    yield heading("部署、设置、端口、升级、故障排除")
    yield from read_file(tree.root / "docs" / "deployment.md", below=1, skip_title=True)
    yield heading("操作：每一条命令")
    yield table(("命令", "做什么"), [(f"python -m engine {name}", text) for name, text in sorted(commands.items())])
    yield heading("维护：备份、恢复、密钥、账号")
    yield from read_file(tree.root / "docs" / "security.md", below=1, skip_title=True)
    yield heading("维护：版本、迁移和值守")
    yield from read_file(tree.root / "docs" / "versions.md", below=1, skip_title=True)
    yield heading("测试")
    yield from _chapter(tree, "CONTRIBUTING.md", "测试", below=0)


def about(tree: Tree, _: Commands) -> Iterator[Block]:
    yield from read_file(tree.root / "README.md")
    yield heading("功能一览")
    yield table(("业务包", "做什么"), [(one.title, (one.owner or "平台") + "　" + "、".join(one.law)) for _, one in sorted(tree.packs.items())])


def functions(tree: Tree, _: Commands) -> Iterator[Block]:
    yield heading("各业务包的功能")
    yield from of_packs.functions(tree)


def licences(tree: Tree, _: Commands) -> Iterator[Block]:
    """Every component of others that is locked, with its licence."""
    locked = {_key(name) for name in re.findall(r"^([A-Za-z0-9._-]+)==", _text(tree, "requirements.lock"), re.M)}
    yield heading("Python")
    rows = sorted({(one.metadata["Name"], one.version, _licence(one.metadata)) for one in distributions() if _key(one.metadata["Name"] or "") in locked})
    yield table(("组件", "版本", "许可"), rows)
    yield heading("前端")
    packages = orjson.loads((tree.root / "package-lock.json").read_bytes())["packages"]
    yield table(("组件", "版本", "许可"), [(name.split("node_modules/")[-1], one.get("version", ""), one.get("license", "")) for name, one in sorted(packages.items()) if name and not one.get("dev")])


PAPERS: Mapping[str, Callable[[Tree, Commands], Iterator[Block]]] = {
    "系统说明文件": about, "用户需求说明书": requirements, "系统概要设计说明书": outline, "系统详细设计说明书": details, "三方功能需求确认单": confirmation, "测试报告": tests,
    "用户使用手册": users, "系统部署文档和技术手册": deployment, "应用软件功能清单": functions, "第三方组件许可清单": licences,
}


def _text(tree: Tree, file: str) -> str:
    return (tree.root / file).read_text(encoding="utf-8")


def _before(text: str, title: str) -> str:
    return text.split(f"\n## {title}")[0]


def _chapter(tree: Tree, file: str, title: str, *, below: int) -> Iterator[Block]:
    """One chapter (## title) of a page with its heading."""
    text = _text(tree, file)
    chapter = text.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]
    yield from read(f"## {title}\n{chapter}", folder=tree.root / Path(file).parent, below=below)


def _key(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _licence(found: object) -> str:
    get = found.get_all  # type: ignore[attr-defined]
    said = (get("License-Expression") or get("License") or [""])[0]
    named = [line.rsplit("::", 1)[-1].strip() for line in get("Classifier") or () if line.startswith("License ::")]
    return str(said) if said and len(said) < 60 else "、".join(named) or "见组件自带的 LICENSE"
