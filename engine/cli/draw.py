"""``python -m engine draw PROOF.json``: draw again from a proof, without database or network, and compare."""
from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click
import orjson

from engine.kernel.errors import Invalid
from engine.reporting.sampling.proof import check_proof


@click.command(name="draw", help="按抽样证明文件重抽一遍并比对：不用数据库，不连网络。一致时退出码为 0，否则为 1。")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出")
def command(file: Path, as_json: bool) -> None:
    try:
        checked = check_proof(file.read_bytes())
    except Invalid as problem:
        click.echo(orjson.dumps({"error": problem.message}).decode() if as_json else problem.message)
        sys.exit(1)
    good = not checked.differences
    if as_json:
        click.echo(orjson.dumps({**asdict(checked), "same": good}).decode())
    else:
        click.echo(f"{checked.title}：从 {checked.population} 个里抽 {checked.picked} 个。")
        click.echo("\n".join(checked.differences) if checked.differences else "重抽的结果与记录一致。")
    sys.exit(0 if good else 1)
