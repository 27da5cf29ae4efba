"""`python -m engine doctor`: do the engine's states, the rows beside them, the numbers and the audit trail agree?"""
from __future__ import annotations

import sys

import click

from engine.cli.host import Host
from engine.runtime.invariants import find_violations


@click.command(help="核对引擎状态、任务、定时、订阅、编号和审计链。核对不改数据，办案时也能跑；有问题时逐条列出，退出码为 1。")
@click.pass_obj
def command(host: Host) -> None:
    with host.application() as app:
        found = find_violations(app)
    for line in found:
        click.echo(line)
    click.echo(f"共 {len(found)} 处对不上。" if found else "全部对得上。")
    sys.exit(1 if found else 0)
