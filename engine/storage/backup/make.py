"""Write a backup while the platform runs: one snapshot of the database first, then the files, which only ever grow."""
from __future__ import annotations

import io
import os
import secrets
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Engine, text

from engine.kernel.gm import sm3_hex
from engine.kernel.gm.sm3 import Sm3File
from engine.storage.backup.programs import run_program
from engine.storage.backup.secrets import SALT, derived, manifest_mac, sealed_keys

FORMAT = "guicheng-backup-1"
HEADS = "SELECT chain, seq, encode(hash, 'hex') FROM audit_head ORDER BY chain"


@dataclass(frozen=True, kw_only=True)
class Made:
    """A finished backup."""

    file: Path
    size: int
    blobs: int
    heads: list[list[Any]]


def make_backup(
    engine: Engine, *, url: str, data_dir: Path, target: Path, passphrase: str, at: datetime, tell: Callable[[str], None] = lambda words: None
) -> Made:
    """Write everything to ``target`` (a new file, mode 0600) and say how far it is. A half-written file never has its name."""
    salt = secrets.token_bytes(SALT)
    key, mac_key = derived(passphrase, salt)
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w+b") as out, tarfile.open(fileobj=out, mode="w") as tar:
            listed: dict[str, dict[str, Any]] = {}
            facts = _database(engine, url, tar, listed, tell)
            blobs = _files(tar, listed, data_dir, tell)
            _member(tar, listed, "keys.sealed", sealed_keys(data_dir, key))
            manifest = orjson.dumps({"format": FORMAT, "at": at.isoformat(), "salt": salt.hex(), "members": listed, **facts}, option=orjson.OPT_INDENT_2)
            _member(tar, {}, "manifest.json", manifest)
            _member(tar, {}, "manifest.mac", manifest_mac(mac_key, manifest).encode())
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)
    return Made(file=target, size=target.stat().st_size, blobs=blobs, heads=facts["heads"])


def _database(engine: Engine, url: str, tar: tarfile.TarFile, listed: dict[str, dict[str, Any]], tell: Callable[[str], None]) -> dict[str, Any]:
    """Dump the database in one snapshot; the chains' heads as that snapshot has them."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        snapshot = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
        server = int(connection.execute(text("SHOW server_version_num")).scalar_one()) // 10_000
        heads = [list(row) for row in connection.execute(text(HEADS))]
        revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        tell("正在导出数据库……")
        with tempfile.TemporaryFile() as dump:
            run_program("pg_dump", url, ["-Fc", "-Z", "6", "--no-owner", "--no-privileges", f"--snapshot={snapshot}"], server=server, out=dump)
            dump.seek(0)
            _stream(tar, listed, "database.dump", dump)
    return {"heads": heads, "postgres": server, "revision": revision}


def _files(tar: tarfile.TarFile, listed: dict[str, dict[str, Any]], data_dir: Path, tell: Callable[[str], None]) -> int:
    count = 0
    for path in _blobs(data_dir / "blobs"):
        with path.open("rb") as stream:
            _stream(tar, listed, f"blobs/{path.name}", stream)
        count += 1
        if count % 500 == 0:
            tell(f"已写入 {count} 个文件……")
    anchors = data_dir / "anchors" / "anchors.jsonl"
    if anchors.exists():
        _member(tar, listed, "anchors.jsonl", anchors.read_bytes())
    return count


def _blobs(folder: Path) -> Iterator[Path]:
    """Finished files only: those under way have a dot before their name."""
    for path in sorted(folder.glob("??/??/*")):
        if len(path.name) == 64 and path.is_file():
            yield path


def _stream(tar: tarfile.TarFile, listed: dict[str, dict[str, Any]], name: str, stream: Any) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = stream.seek(0, os.SEEK_END), 0o600
    stream.seek(0)
    hashed = Sm3File(stream)
    tar.addfile(info, hashed)
    listed[name] = {"sm3": hashed.hex(), "size": info.size}


def _member(tar: tarfile.TarFile, listed: dict[str, dict[str, Any]], name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), 0o600
    tar.addfile(info, io.BytesIO(data))
    listed[name] = {"sm3": sm3_hex(data), "size": len(data)}
