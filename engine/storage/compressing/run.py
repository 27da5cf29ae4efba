"""One compression in a child process: bounded memory and time, progress on its output, the original never touched."""
from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Timer

KINDS = {
    "video/mp4": "video", "application/pdf": "pdf", "image/jpeg": "picture", "image/png": "picture",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "office",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "office",
}
"""Content type → which module of this package makes it smaller."""
LONGEST_SECONDS = 3600
LEFT = 3
"""Exit code of a child that leaves the file alone; its last line says why."""
WORTH = 0.9
"""A result larger than this share of the original is thrown away."""


@dataclass(frozen=True, kw_only=True)
class Better:
    """The smaller file is at ``path``."""

    path: Path
    size: int


@dataclass(frozen=True, kw_only=True)
class Left:
    """The original stays; ``why`` says so in Chinese. ``failed`` when that is because something broke."""

    why: str
    failed: bool = False


def compress_file(source: Path, target: Path, *, kind: str, tell: Callable[[int], None] = lambda percent: None) -> Better | Left:
    """Make ``source`` smaller into ``target``; ``tell`` hears percents. ``kind`` is a value of ``KINDS``. Never raises for what is in the file."""
    program = [sys.executable, "-m", "engine.storage.compressing", kind, str(source), str(target)]
    child = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=Path(__file__).parents[3])
    limit = Timer(LONGEST_SECONDS, child.kill)
    limit.start()
    try:
        assert child.stdout is not None
        said = ""
        for line in child.stdout:
            if line.strip().isdigit():
                tell(int(line))
            else:
                said = line.strip()
        child.communicate()
    finally:
        limit.cancel()
        child.kill()
    return _judged(source, target, child.returncode, said)


def _judged(source: Path, target: Path, code: int, said: str) -> Better | Left:
    if code == LEFT:
        return Left(why=said or "这个文件不用压缩。")
    if code != 0 or not target.exists():
        return Left(why="没有压缩成，原件照旧保留。", failed=True)
    size = target.stat().st_size
    if size > source.stat().st_size * WORTH:
        return Left(why="压缩以后小不了多少，保留原件。")
    return Better(path=target, size=size)
