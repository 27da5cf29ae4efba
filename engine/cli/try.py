"""`python -m engine try FILE.bpmn`: each process of a diagram from anywhere, run to its first wait."""  # noqa: N999
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from engine.runtime.bpmn.run_trial import MAX_BYTES, run_trial, seconds_left

OUTCOMES = {"waiting": "停在等待处", "completed": "已走完", "refused": "不能运行", "incident": "停在故障处"}


@click.command(help="试运行别处画的流程图：每个流程在内存里走到第一个等待处，列出停在哪里和要改的地方。不动数据库。")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出。")
@click.option("--facts", default="{}", help="起始的事实，JSON 对象，如 {\"amount\": 5}。")
def command(file: Path, as_json: bool, facts: str) -> None:
    with file.open("rb") as stream:
        results = run_trial(stream.read(MAX_BYTES + 1), facts=_facts(facts), seconds=seconds_left())
    if as_json:
        click.echo(json.dumps(results, ensure_ascii=False, indent=1))
        return
    for result in results:
        _print(result)


def _facts(text: str) -> dict[str, Any]:
    try:
        facts = json.loads(text)
    except ValueError as error:
        raise click.BadParameter(f"--facts 不是合法的 JSON：{error}。") from None
    if not isinstance(facts, dict):
        raise click.BadParameter("--facts 应是一个 JSON 对象。")
    return facts


def _print(result: dict[str, Any]) -> None:
    place = "：" + "、".join(result["at"]) if result["at"] else ""
    click.echo(f"{result['process'] or '文件'} {OUTCOMES[result['outcome']]}{place}")
    for found in result["findings"]:
        where = f"{found['element']}：" if found["element"] else ""
        click.echo(f"  {where}{found['message']}（{found['rule']}）")
