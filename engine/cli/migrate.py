"""`python -m engine migrate`."""
from __future__ import annotations

import click

from engine.cli.host import Host
from engine.storage import migrate as migrations


@click.command(help="把数据库升级到最新版本。")
@click.pass_obj
def command(host: Host) -> None:
    with host.database(migrated=False) as engine:
        before = migrations.current_revision(engine)
        migrations.upgrade(engine)
        after = migrations.current_revision(engine)
    click.echo(f"数据库已是最新版本 {after}。" if before == after else f"数据库已升级到 {after}。")
