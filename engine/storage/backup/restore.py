"""Put a backup into an empty data folder and an empty database, and look whether everything is there again."""
from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import orjson
from sqlalchemy import Engine, text

from engine.kernel.errors import Conflict, Invalid
from engine.kernel.gm.sm3 import Sm3File
from engine.storage.backup.make import FORMAT, HEADS
from engine.storage.backup.programs import run_program
from engine.storage.backup.secrets import derived, manifest_mac, open_keys
from engine.storage.blobs import BlobStore

_SMALL = 1 << 28


@dataclass(frozen=True, kw_only=True)
class Restored:
    """What came back. ``heads`` are those of the backup, and those of the database are the same."""

    at: str
    blobs: int
    keys: int
    heads: list[list[Any]]


class BackupFile:
    """A backup opened for reading, its manifest proved by the passphrase."""

    def __init__(self, path: Path, passphrase: str) -> None:
        try:
            self._tar = tarfile.open(path)  # noqa: SIM115 (closed by close)
            self._places = {info.name: info for info in self._tar if info.isreg()}
        except (tarfile.TarError, OSError) as error:
            raise Invalid(f"这不是备份文件，或文件不完整（{error}）。") from None
        raw = self.small("manifest.json")
        self.manifest = _loaded(raw)
        self.key, mac_key = derived(passphrase, bytes.fromhex(self.manifest["salt"]))
        if manifest_mac(mac_key, raw) != self.small("manifest.mac").decode("ascii", "replace"):
            raise Invalid("备份口令不对，或备份的清单被改动。")
        if set(self._places) != {*self.manifest["members"], "manifest.json", "manifest.mac"}:
            raise Invalid("备份里的文件与清单不符，有缺少或多出的。")

    def close(self) -> None:
        self._tar.close()

    def small(self, name: str) -> bytes:
        """A member that fits into memory."""
        info = self._places.get(name)
        if info is None or info.size > _SMALL:
            raise Invalid(f"备份里缺少 {name}，文件不完整。")
        return self.open(name).read()

    def open(self, name: str) -> IO[bytes]:
        stream = self._tar.extractfile(self._places[name])
        if stream is None:
            raise Invalid(f"备份里的 {name} 不是文件。")
        return stream

    def copy(self, name: str, out: IO[bytes]) -> None:
        """Copy a member; raises Invalid when it is not what the manifest says."""
        hashed = Sm3File(self.open(name))
        shutil.copyfileobj(hashed, out, 1 << 20)
        if hashed.hex() != self.manifest["members"][name]["sm3"]:
            raise Invalid(f"备份里的 {name} 被改动或损坏，没有恢复。")

    def blobs(self) -> list[str]:
        return [name for name in self.manifest["members"] if name.startswith("blobs/")]


def check_empty(engine: Engine, data_dir: Path) -> None:
    """Raise Conflict unless database and data folder hold nothing that a restore would overwrite."""
    with engine.connect() as connection:
        if connection.execute(text("SELECT EXISTS (SELECT 1 FROM pg_tables WHERE schemaname IN ('public', 'reg'))")).scalar_one():
            raise Conflict("目标数据库里已经有数据，没有恢复。请用 --data 指定新的空目录，或给一个空的数据库。", code="not_empty")
    if any((data_dir / "blobs").glob("??")) or (data_dir / "keys").exists():
        raise Conflict(f"目录 {data_dir} 里已经有文件或密钥，没有恢复。请用 --data 指定新的空目录。", code="not_empty")


def restore_backup(
    engine: Engine, *, url: str, data_dir: Path, backup: BackupFile, tell: Callable[[str], None] = lambda words: None
) -> Restored:
    """Restore into an empty place (see ``check_empty``). Raises Invalid when anything is altered or doesn't come back the same."""
    _database(engine, url, backup, tell)
    keys = open_keys(backup.small("keys.sealed"), backup.key, data_dir)
    count = _blobs(BlobStore(data_dir / "blobs"), backup, tell)
    if "anchors.jsonl" in backup.manifest["members"]:
        folder = data_dir / "anchors"
        folder.mkdir(mode=0o700, exist_ok=True)
        with open(os.open(folder / "anchors.jsonl", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            backup.copy("anchors.jsonl", out)
    with engine.connect() as connection:
        heads = [list(row) for row in connection.execute(text(HEADS))]
    if heads != backup.manifest["heads"]:
        raise Invalid("恢复后的审计链首与备份时不同，请不要使用，换一个备份。")
    (data_dir / "restored.json").write_bytes(orjson.dumps({"backup_at": backup.manifest["at"], "file_salt": backup.manifest["salt"]}))
    return Restored(at=backup.manifest["at"], blobs=count, keys=keys, heads=heads)


def _database(engine: Engine, url: str, backup: BackupFile, tell: Callable[[str], None]) -> None:
    with engine.connect() as connection:
        server = int(connection.execute(text("SHOW server_version_num")).scalar_one()) // 10_000
    if server < backup.manifest["postgres"]:
        raise Invalid(f"备份来自 PostgreSQL {backup.manifest['postgres']}，目标是 {server}：请用同版本或更新的数据库。")
    with tempfile.TemporaryFile() as dump:
        backup.copy("database.dump", dump)
        dump.seek(0)
        tell("正在恢复数据库……")
        parts = ["--no-owner", "--no-privileges", "--no-comments", "--exit-on-error", "-d", _name(url)]
        run_program("pg_restore", url, parts, server=server, stdin=dump)


def _name(url: str) -> str:
    from sqlalchemy.engine import make_url

    return make_url(url).database or "postgres"


def _blobs(store: BlobStore, backup: BackupFile, tell: Callable[[str], None]) -> int:
    names = backup.blobs()
    for number, name in enumerate(names, start=1):
        with tempfile.SpooledTemporaryFile(max_size=1 << 25) as whole:
            backup.copy(name, whole)
            whole.seek(0)
            if store.put(whole.read()) != name.removeprefix("blobs/"):
                raise Invalid(f"备份里的 {name} 与它的名字不符，没有恢复。")
        if number % 500 == 0:
            tell(f"已恢复 {number} 个文件……")
    return len(names)


def _loaded(raw: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(raw)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise Invalid("不是本平台的备份文件，或版本不认识。")
    return found
