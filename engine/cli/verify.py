"""`python -m engine verify FILE`: a case bundle or a sealed PDF, verified on its own, without database or network."""
from __future__ import annotations

import os
import sys
from dataclasses import asdict
from pathlib import Path

import click
import orjson
from asn1crypto import pem

from engine.documents.verify_pdf import Verification, verify_pdf
from engine.kernel.errors import GuichengError
from engine.runtime.case_bundle.archive import Archive, ArchiveRefused
from engine.runtime.case_bundle.check import check_bundle, lines

LARGEST_PDF = 256 * 1024 * 1024


@click.command(help="离线核验案件导出文件或盖章的 PDF：不用数据库，不连网络。一致时退出码为 0，否则为 1。")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--root", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="您信任的平台根证书（PEM 或 DER）")
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出")
def command(file: Path, root: Path | None, as_json: bool) -> None:
    trusted = _certificate(root) if root else None
    with file.open("rb") as stream:
        is_pdf = b"%PDF-" in stream.read(1024)
    good = _pdf(file, trusted or _own_root(), as_json) if is_pdf else _bundle(file, trusted, as_json)
    sys.exit(0 if good else 1)


def _bundle(file: Path, root: bytes | None, as_json: bool) -> bool:
    try:
        archive = Archive(file)
    except ArchiveRefused as error:
        click.echo(orjson.dumps({"good": False, "problem": str(error)}).decode() if as_json else f"不能采信：{error}")
        return False
    try:
        report = check_bundle(archive, root=root)
    finally:
        archive.close()
    if as_json:
        click.echo(orjson.dumps({"good": report.good, "problem": report.problem, **asdict(report)}, option=orjson.OPT_INDENT_2).decode())
    else:
        for line in lines(report):
            click.echo(line)
    return report.good


def _pdf(file: Path, root: bytes, as_json: bool) -> bool:
    if file.stat().st_size > LARGEST_PDF:
        raise GuichengError("PDF 超过 256 MB，不打开。")
    found = verify_pdf(file.read_bytes(), root=root)
    if as_json:
        click.echo(orjson.dumps(asdict(found), option=orjson.OPT_INDENT_2).decode())
    else:
        _tell(found)
    return found.good


def _tell(found: Verification) -> None:
    for one in found.signatures:
        click.echo(f"{'✗' if one.problem else '✓'} {one.signer}（{one.organisation}）{one.signed_at:%Y-%m-%d %H:%M}　证书 {one.serial}　{one.problem or '有效'}")
    click.echo("结论：签章有效，盖章以后没有改动。" if found.good else f"结论：不能采信。{found.problem}")


def _certificate(file: Path) -> bytes:
    data = file.read_bytes()[: 1 << 20]
    try:
        return bytes(pem.unarmor(data)[2]) if pem.detect(data) else data
    except ValueError as error:
        raise GuichengError(f"{file} 不是证书。") from error


def _own_root() -> bytes:
    """The authority of this machine's platform; a stranger names one with --root."""
    file = Path(os.environ.get("GUICHENG_DATA", "/var/lib/guicheng")) / "keys" / "root_ca.pem"
    if not file.exists():
        raise GuichengError("核验 PDF 要知道签发机构：请用 --root 给出平台的根证书（PEM），可从平台的“安全”页下载。")
    return next(bytes(der) for label, _, der in pem.unarmor(file.read_bytes(), multiple=True) if label == "CERTIFICATE")
