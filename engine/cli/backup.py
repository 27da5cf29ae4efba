"""`python -m engine backup FILE|FOLDER`: everything in one file, while the platform runs."""
from __future__ import annotations

from pathlib import Path

import click

from engine.cli.host import Host
from engine.kernel.clock import SHANGHAI, Clock
from engine.kernel.errors import Conflict, Invalid
from engine.storage.backup.make import make_backup

VARIABLE = "GUICHENG_BACKUP_PASSPHRASE"


@click.command(help="把数据库、文件、锚点和密钥备份成一个文件；平台不用停。密钥用备份口令加密。目标是文件夹时自动取名。")
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--passphrase-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help=f"备份口令所在的文件；也可用环境变量 {VARIABLE}，都没有就询问")
@click.pass_obj
def command(host: Host, target: Path, passphrase_file: Path | None) -> None:
    passphrase, at = read_passphrase(passphrase_file, confirm=True), Clock().now()
    if target.is_dir():
        target = target / f"guicheng-{at.astimezone(SHANGHAI):%Y%m%d-%H%M%S}.backup"
    if target.exists():
        raise Conflict(f"{target} 已经存在，没有备份。请换一个文件名，或给一个文件夹。")
    if not target.parent.is_dir():
        raise Invalid(f"没有文件夹 {target.parent}。")
    with host.running() as settings, host.database(migrated=False) as engine:
        made = make_backup(
            engine, url=settings.database_url or engine.url.render_as_string(hide_password=False), data_dir=settings.data_dir, target=target.resolve(),
            passphrase=passphrase, at=at, tell=click.echo,
        )
    click.echo(f"已备份到 {made.file}，{made.size / 1_000_000:.1f} MB，{made.blobs} 个文件，审计链 {len(made.heads)} 条、共 {sum(head[1] for head in made.heads)} 条记录。")
    click.echo("请把备份和口令分开保管。恢复：python -m engine restore 文件 --data 新目录")


def read_passphrase(file: Path | None, *, confirm: bool = False) -> str:
    """From the file, the environment, or the keyboard."""
    import os

    if file is not None:
        return file.read_text().strip()
    if VARIABLE in os.environ:
        return os.environ[VARIABLE]
    return str(click.prompt("备份口令", hide_input=True, confirmation_prompt=confirm))
