"""Word and Excel files: the pictures in them at most 2000 pixels a side, everything packed again; text and layout stay byte for byte."""
from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

from engine.storage.compressing.leave import LeaveIt
from engine.storage.compressing.picture import shrink

SIDE = 2000
LIGHT = 200_000
MOST_BYTES = 200 * 2**20


def compress(source: Path, target: Path, tell: Callable[[int], None]) -> None:
    """Raises LeaveIt for what is signed or unpacks to too much."""
    with zipfile.ZipFile(source) as read:
        entries = read.infolist()
        if any(entry.filename.startswith("_xmlsignatures/") for entry in entries):
            raise LeaveIt("文件带有电子签名，压缩会使签名失效，保留原件。")
        if sum(entry.file_size for entry in entries) > MOST_BYTES:
            raise LeaveIt("文件展开后太大，不压缩。")
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as written:
            for place, entry in enumerate(entries):
                _take(read, written, entry)
                tell(int(99 * place / len(entries)))


def _take(read: zipfile.ZipFile, written: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    fresh = zipfile.ZipInfo(entry.filename, entry.date_time)
    fresh.compress_type, fresh.external_attr = zipfile.ZIP_DEFLATED, entry.external_attr
    if "/media/" in entry.filename and entry.filename.lower().endswith((".jpg", ".jpeg", ".png")) and entry.file_size > LIGHT:
        data = read.read(entry)
        written.writestr(fresh, _smaller(data))
        return
    with read.open(entry) as before, written.open(fresh, "w") as after:
        shutil.copyfileobj(before, after, 1 << 20)


def _smaller(data: bytes) -> bytes:
    try:
        made = shrink(data, side=SIDE, quality=78, light=LIGHT)
    except (OSError, ValueError, SyntaxError):
        return data
    return made if made is not None and len(made) < len(data) else data
