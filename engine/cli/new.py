"""`python -m engine new pack NAME --title 标题`."""
from __future__ import annotations

import click

from engine.inspection.scaffold import new_pack
from engine.kernel.settings import ROOT


@click.group(help="新建。")
def command() -> None:
    pass


@command.command("pack", help="新建业务包：一张图、一张表、一个台账、一个处理程序和它们的测试，马上能跑，再照着改。")
@click.argument("name")
@click.option("--title", required=True, help="业务包的中文名称")
def pack(name: str, title: str) -> None:
    made = new_pack(ROOT, name=name, title=title)
    for path in made:
        click.echo(str(path.relative_to(ROOT)))
    click.echo(f"已建立 {len(made)} 个文件。先运行 python -m engine check，再用 ./test tests/packs/{name} 跑它的测试。")
