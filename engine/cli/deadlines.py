"""``python -m engine deadlines``: the due dates of time limits, one JSON line in, one out."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import click
import orjson

from engine.deadlines.lines import answer, declared_clocks
from engine.kernel.settings import ROOT
from engine.reference.calendars import published_calendar


@click.command(name="deadlines", help="计算法定期限：从文件或标准输入逐行读取 JSON，逐行回答届满日、状态和计算过程。")
@click.argument("source", type=click.File("rb"), default="-")
@click.option("--root", type=click.Path(exists=True, file_okay=False, path_type=Path), default=ROOT, help="业务包所在的目录。")
def command(source: BinaryIO, root: Path) -> None:
    calendar, declared = published_calendar(), declared_clocks(root)
    for line in source:
        if line.strip():
            click.echo(orjson.dumps(answer(line, calendar=calendar, declared=declared)).decode())
