"""`python -m engine trace`: requirement rows known, claimed, proved."""
from __future__ import annotations

from dataclasses import asdict

import click
import orjson

from engine.inspection.load import load_tree
from engine.inspection.trace import by_system, trace


@click.command(help="需求对照：已知、已认领、已证明（认领且最近一次测试通过）各多少行。")
@click.option("--json", "as_json", is_flag=True, help='输出 {"known": […], "claimed": […], "proved": […]}')
def command(as_json: bool) -> None:
    tree = load_tree()
    found = trace(tree)
    if as_json:
        click.echo(orjson.dumps(asdict(found)).decode())
        return
    click.echo(f"{'已知':>6}{'认领':>6}{'证明':>6}  系统")
    for system, known, claimed, proved in by_system(tree, found):
        click.echo(f"{known:>8}{claimed:>8}{proved:>8}  {system}")
    for id in found.proved:
        click.echo(f"  {id}  {tree.requirements[id].title}")
