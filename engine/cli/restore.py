"""`python -m engine restore FILE`: a backup into an empty data folder, then everything verified."""
from __future__ import annotations

import sys
from pathlib import Path

import click

from engine.access.anchors import check_trail
from engine.cli.backup import VARIABLE, read_passphrase
from engine.cli.host import Host
from engine.kernel.gm import KeyRing
from engine.kernel.settings import Settings
from engine.storage.backup.restore import BackupFile, check_empty, restore_backup
from engine.storage.database import make_engine
from engine.storage.embedded import EmbeddedServer


@click.command(help="把备份恢复到空的数据目录（内置数据库），或 DATABASE_URL 指向的空数据库，然后核对审计链和锚点。")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--data", "data_dir", type=click.Path(file_okay=False, path_type=Path), help="新的空目录；不给就用 GUICHENG_DATA 或默认目录")
@click.option("--passphrase-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help=f"备份口令所在的文件；也可用环境变量 {VARIABLE}，都没有就询问")
@click.pass_obj
def command(host: Host, file: Path, data_dir: Path | None, passphrase_file: Path | None) -> None:
    import os

    if data_dir is not None:
        os.environ["GUICHENG_DATA"] = str(data_dir.resolve())
    backup = BackupFile(file, read_passphrase(passphrase_file))
    settings = host.settings()
    server = None if settings.database_url else EmbeddedServer(settings.data_dir)
    try:
        good = _restore(settings, settings.database_url or (server.start() if server else ""), backup)
    finally:
        backup.close()
        if server is not None:
            server.stop()
    sys.exit(0 if good else 1)


def _restore(settings: Settings, url: str, backup: BackupFile) -> bool:
    from dataclasses import replace

    engine = make_engine(replace(settings, database_url=url), application_name="guicheng-restore")
    try:
        check_empty(engine, settings.data_dir)
        (settings.data_dir / "secret_key").unlink(missing_ok=True)
        done = restore_backup(engine, url=url, data_dir=settings.data_dir, backup=backup, tell=click.echo)
        keys = KeyRing(settings.data_dir, vault=settings.vault)
        with engine.connect() as connection:
            report = check_trail(connection, keys, folder=settings.data_dir / "anchors")
    finally:
        engine.dispose()
    click.echo(f"已恢复 {done.at[:19]} 的备份：{done.blobs} 个文件、{done.keys} 个密钥文件；审计链首与备份时相同。")
    click.echo(f"核对审计：{report.records} 条记录、{report.anchors} 个锚点，{'全部如初' if report.good else '有问题，请运行 python -m engine audit verify'}。")
    click.echo(f"启动：./run --data {settings.data_dir}")
    return report.good
