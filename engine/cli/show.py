"""`python -m engine show pack NAME`."""
from __future__ import annotations

import click

from engine.inspection.describe import describe_pack
from engine.inspection.load import load_tree


@click.group(help="看一个业务包里有什么。")
def command() -> None:
    pass


@command.command("pack", help="业务包的流程、步骤、角色、表单和需求编号")
@click.argument("name")
def pack(name: str) -> None:
    for line in describe_pack(load_tree(), name):
        click.echo(line)
