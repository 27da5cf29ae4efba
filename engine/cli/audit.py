"""`python -m engine audit`: verify the trail, set and export anchors, compare the rows of rights with their seals."""
from __future__ import annotations

import sys
import time
from pathlib import Path

import click
import orjson
from sqlalchemy import select

from engine.access import anchors, integrity
from engine.access.guarding import anchor_folder, anchor_now
from engine.cli.host import Host
from engine.kernel.gm.certificates import to_pem
from engine.storage.tables.proof import audit_anchor


@click.group(help="审计：核对审计链和锚点、立即锚定、导出锚点、核对权限数据。")
def command() -> None:
    pass


@command.command("verify", help="从第一条核对到最后一条，指出第一条被改动、删除、换序或截断的记录。有问题时退出码为 1。")
@click.option("--chain", help="只核对这条链")
@click.pass_obj
def verify(host: Host, chain: str | None) -> None:
    with host.application() as app, app.db.connect() as connection:
        started = time.monotonic()
        report = anchors.check_trail(connection, app.keys, folder=anchor_folder(app), only=chain)
        took = max(time.monotonic() - started, 0.001)
    if report.anchor_break:
        click.echo(f"锚点第 {report.anchor_break.seq} 个：{report.anchor_break.why}")
    for one in report.chains:
        click.echo(f"链 {one.chain}：{one.records} 条，{f'第 {one.broken.seq} 条：{one.broken.why}' if one.broken else '全部如初'}")
    click.echo(f"锚点 {report.anchors} 个，记录 {report.records} 条，用时 {took:.1f} 秒（每秒 {report.records / took:,.0f} 条）。")
    click.echo("审计记录完整。" if report.good else "审计记录被改动，请立即保全现场并报告安全审计员。")
    sys.exit(0 if report.good else 1)


@command.command("anchor", help="立即锚定一次（平时每小时自动）。")
@click.pass_obj
def anchor(host: Host) -> None:
    with host.application() as app:
        made = anchor_now(app, at=app.clock.now())
    click.echo(f"已锚定，第 {made} 个。" if made else "上次锚定以后没有新的记录。")


@command.command("export", help="把全部锚点和根证书写到文件夹，可以带离本机，供别人核对。")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.pass_obj
def export(host: Host, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with host.application() as app, app.db.connect() as connection:
        lines = [orjson.dumps(anchors.as_line(row)) for row in connection.execute(select(audit_anchor).order_by(audit_anchor.c.seq))]
        (folder / "root.pem").write_text(to_pem(app.keys.root.certificate, "CERTIFICATE"))
    (folder / "anchors.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
    click.echo(f"已导出 {len(lines)} 个锚点到 {folder}。")


@command.command("rights", help="核对账号、岗位、角色对应、用印授权、案件授权等，指出不经平台改动的行。有问题时退出码为 1。")
@click.option("--accept", is_flag=True, help="逐条查明以后，把现在的内容重新加上完整性标记")
@click.pass_obj
def rights(host: Host, accept: bool) -> None:
    with host.application() as app, app.db.begin() as connection:
        found = integrity.check(connection, app.keys)
        for table, row_key, what in found:
            click.echo(f"{integrity.TITLES.get(table, table)} {row_key}：{what}")
        if accept:
            from engine.access.audit import note

            count = integrity.seal_everything(connection, app.keys)
            note(connection, actor=None, at=app.clock.now(), action="rights.accept", object=f"{count} 行", detail={"differences": len(found)})
            click.echo(f"已重新标记 {count} 行。")
    click.echo(f"共 {len(found)} 处。" if found else "权限数据完整。")
    sys.exit(1 if found and not accept else 0)
