"""``python -m engine decisions FILE.dmn``: asks the decisions of a file, one JSON line in, one out."""
from __future__ import annotations

import sys
from pathlib import Path

import click

from engine.decisions.lines import answer, load_file


@click.command(name="decisions", help='逐行读取 {"decision": 名称, "context": {…}} 或 {"invocable": 名称, "context": {…}}，逐行回答 value 或 error。')
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--strict", is_flag=True, help="表达式里的语义错误也报错（并指出单元格），不按 DMN 规定算作 null。")
@click.option("--check", is_flag=True, help="只检查文件，列出有问题的单元格。")
def command(file: Path, strict: bool, check: bool) -> None:
    model = load_file(file)
    if check:
        for finding in model.findings:
            click.echo(f"{finding['element']}  {finding['message']}")
        sys.exit(1 if model.findings else 0)
    for line in sys.stdin.buffer:
        if line.strip():
            click.echo(answer(model, line, strict=strict))
            sys.stdout.flush()
