"""`python -m engine export-case NUMBER FILE`: the bundle of a case, by the operator of the machine, on record."""
from __future__ import annotations

from pathlib import Path
from uuid import UUID

import click
from sqlalchemy import Connection, select

from engine.access.audit import note
from engine.access.guarding import anchor_now
from engine.cli.host import Host
from engine.kernel.errors import Conflict, Invalid, NotFound
from engine.runtime.case_bundle.make import write_case
from engine.storage.tables.cases import case_file


@click.command(help="把一个案件导出成可离线核验的文件（同案件页的“导出与查看”）。CASE 是案件编号或案件页地址里的那一串。")
@click.argument("case")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--reason", required=True, help="理由，写进文件和审计")
@click.option("--by", "by", required=True, help="谁要求导出的，写进文件和审计")
@click.option("--revealed", is_flag=True, help="连同证件号码、电话的全文")
@click.pass_obj
def command(host: Host, case: str, file: Path, reason: str, by: str, revealed: bool) -> None:
    if file.exists():
        raise Conflict(f"{file} 已经存在，没有导出。请换一个文件名。")
    if not reason.strip() or not by.strip():
        raise Invalid("导出要写明理由和谁要求的。")
    with host.application() as app:
        at = app.clock.now()
        with app.db.begin() as connection:
            id = _find(connection, case.strip())
            note(connection, actor=None, at=at, action="trace.export", object=f"case:{id}", case_id=id, detail={"reason": reason, "by": by, "revealed": revealed, "command": True})
        anchor_now(app, at=at)
        write_case(app, case_id=id, target=file, by=by, reason=reason, revealed=revealed, at=at)
    file.chmod(0o600)
    click.echo(f"已导出到 {file}，{file.stat().st_size / 1_000_000:.1f} MB。核验：python -m engine verify {file}")


def _find(connection: Connection, text: str) -> UUID:
    try:
        known = case_file.c.id == UUID(text)
    except ValueError:
        known = case_file.c.number == text
    found = connection.execute(select(case_file.c.id).where(known)).scalar_one_or_none()
    if found is None:
        raise NotFound(f"没有案件 {text}。")
    return UUID(str(found))
