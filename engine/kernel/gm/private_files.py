"""Key files: written whole or not at all, never overwritten, readable by their owner only."""
from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path


class KeyFileUnsafe(RuntimeError):
    """A key file can be read by others or is broken; the Chinese message names it and says what to do."""


def make_file(target: Path, create: Callable[[], bytes]) -> None:
    """Write ``create()`` to ``target`` unless it exists; of several processes that try at once the first wins."""
    if target.exists():
        return
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".new_")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(create())
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(temporary, target)
    finally:
        os.unlink(temporary)


def read_file(file: Path) -> bytes:
    """The bytes; raises KeyFileUnsafe when others may read them."""
    if stat.S_IMODE(file.stat().st_mode) & 0o077:
        raise KeyFileUnsafe(f"密钥文件 {file} 能被其他用户读取，请执行 chmod 600 {file}")
    return file.read_bytes()
