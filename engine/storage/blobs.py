"""Files by their SM3: attachments, rendered documents, seal images."""
from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import IO

from engine.kernel.errors import NotFound
from engine.kernel.gm import sm3_hex
from engine.kernel.gm.sm3 import Sm3File

_SM3 = re.compile(r"[0-9a-f]{64}\Z")


class BlobStore:
    """A folder ``root/ab/cd/<sm3>``. What is there is never changed, so reading needs no lock."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, data: bytes) -> str:
        """Store ``data`` durably and return its SM3 in hex; storing the same bytes again changes nothing."""
        sm3 = sm3_hex(data)
        target = self.path(sm3)
        if not target.exists():
            _write_durably(target, data)
        return sm3

    def put_file(self, stream: IO[bytes]) -> str:
        """``put`` for what is too large to hold in memory; reads ``stream`` to its end."""
        self.root.mkdir(parents=True, exist_ok=True)
        partial = self.root / f".{os.getpid()}.{os.urandom(8).hex()}"
        hashed = Sm3File(stream)
        try:
            with partial.open("xb") as file:
                shutil.copyfileobj(hashed, file, 1 << 20)
                file.flush()
                os.fsync(file.fileno())
            sm3 = hashed.hex()
            target = self.path(sm3)
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                os.replace(partial, target)
                _sync_folder(target.parent)
        finally:
            partial.unlink(missing_ok=True)
        return sm3

    def get(self, sm3: str) -> bytes:
        """The bytes; NotFound when they aren't here."""
        try:
            return self.path(sm3).read_bytes()
        except FileNotFoundError:
            raise NotFound("文件不在存储中，请联系管理员从备份恢复。", code="blob_missing", sm3=sm3) from None

    def path(self, sm3: str) -> Path:
        """Where the bytes of ``sm3`` are or would be; ValueError when it isn't 64 hex digits."""
        if not _SM3.match(sm3):
            raise ValueError(f"not an SM3 in hex: {sm3!r}")
        return self.root / sm3[:2] / sm3[2:4] / sm3

    def exists(self, sm3: str) -> bool:
        return self.path(sm3).exists()

    def remove(self, sm3: str) -> None:
        """Delete the bytes if they are here; only the sweep of orphans calls this."""
        self.path(sm3).unlink(missing_ok=True)


def _write_durably(target: Path, data: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        with partial.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
