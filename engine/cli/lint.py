"""`python -m engine lint FILE.bpmn`: what stands in the way of deploying a diagram, before anybody deploys it."""
from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from engine.kernel.names import is_name, name_of, pack_of
from engine.kernel.settings import ROOT
from engine.runtime.bpmn.deploy import CompiledProcess, compile_process
from engine.runtime.bpmn.inspect_file import Inspected, inspect_file

LEVELS = {"error": "错误", "policy": "错误", "warning": "提醒"}


@click.command(help="检查流程图文件，逐条列出问题和改法。有错误时以 1 结束。")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出。")
@click.option("--lenient", is_flag=True, help="不要求角色、表单和事实的声明（检查别处画的图时用）。")
def command(file: Path, as_json: bool, lenient: bool) -> None:
    folder = file.resolve().parent
    pack = folder.name if is_name(folder.name) else "draft"
    results = inspect_file(file.read_bytes(), pack=pack, resolve=_library(folder.parent), strict=not lenient)
    if as_json:
        click.echo(json.dumps([{"process": item.process, "findings": item.findings} for item in results], ensure_ascii=False, indent=1))
    else:
        _print(results)
    sys.exit(1 if any(item.compiled is None for item in results) else 0)


def _library(beside: Path) -> _Files:
    return _Files([beside, ROOT / "processes"])


class _Files:
    """Called processes from the content folders."""

    def __init__(self, roots: list[Path]) -> None:
        self.roots = roots
        self.known: dict[str, CompiledProcess | None] = {}

    def __call__(self, name: str) -> CompiledProcess | None:
        if name not in self.known:
            self.known[name] = None
            files = [root / pack_of(name) / f"{name_of(name)}.bpmn" for root in self.roots]
            found = next((file for file in files if file.is_file()), None)
            if found is not None:
                self.known[name] = compile_process(found.read_bytes(), name=name, resolve=self)
        return self.known[name]


def _print(results: list[Inspected]) -> None:
    for item in results:
        title = item.process or "文件"
        click.echo(f"{title}：{'没有问题' if not item.findings else f'{len(item.findings)} 处'}")
        for found in item.findings:
            place = f"{found['element']}：" if found["element"] else ""
            click.echo(f"  [{LEVELS[found['level']]}] {place}{found['message']}（{found['rule']}）")
