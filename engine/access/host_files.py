"""Logs and access files of the server itself: their digests go into the trail every hour, what was altered becomes an alarm (NFR-064).

``GUICHENG_HOST_FILES`` names them by patterns: logs of the system, the database and the platform, which only grow, and files
that say who may do what (passwd, sudoers, sshd_config, pg_hba.conf), which a change to is always told. The record of the
hour before, chained and signed like every other, says what they were; a log that was turned over is found by its inode.
"""
from __future__ import annotations

import glob
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from engine.access.alarms import raise_alarm
from engine.access.audit import PLATFORM, note
from engine.kernel.gm.sm3 import Sm3File
from engine.storage.tables.organisation import audit

ACTION, MOST = "host.files", 500
LOG = re.compile(r"(\.log|\.jsonl)\Z|(^|/)(log|logs)/")
_PIECE = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A file as it was: its inode, its size in bytes and the SM3 of so many bytes (hex); ``problem`` when it can't be read."""

    inode: int = 0
    size: int = 0
    sm3: str = ""
    problem: str = ""


def find_files(patterns: Sequence[str]) -> list[str]:
    """The files that the patterns name, sorted; a pattern without wildcards names its file though it be gone."""
    found = {path for one in patterns for path in (glob.glob(one) if glob.has_magic(one) else [one])}
    return sorted(found)[:MOST]


def mark_of(path: str, *, size: int | None = None) -> Mark:
    """What the file is now, or was in its first ``size`` bytes."""
    try:
        with open(path, "rb") as file:
            stat = os.fstat(file.fileno())
            upto = stat.st_size if size is None else min(size, stat.st_size)
            hashed, left = Sm3File(file), upto
            while left and (piece := hashed.read(min(_PIECE, left))):
                left -= len(piece)
            return Mark(inode=stat.st_ino, size=upto - left, sm3=hashed.hex())
    except OSError as error:
        return Mark(problem=error.strerror or type(error).__name__)


def problem_of(path: str, before: Mark) -> str:
    """What happened to the file since ``before`` that should not; empty when nothing did."""
    if before.problem:
        return ""
    now = mark_of(path, size=before.size)
    if not LOG.search(path):
        whole = mark_of(path)
        return f"读不到了（{now.problem}）" if now.problem else "被改动" if (whole.size, whole.sm3) != (before.size, before.sm3) else ""
    if not now.problem and (now.size, now.sm3) == (before.size, before.sm3):
        return ""
    turned = next((str(one) for one in sorted(Path(path).parent.glob(Path(path).name + "*")) if str(one) != path and one.stat().st_ino == before.inode), "")
    kept = mark_of(turned, size=before.size) if turned else Mark(problem="找不到")
    if not kept.problem and (kept.size, kept.sm3) == (before.size, before.sm3):
        return ""
    return f"读不到了（{now.problem}）" if now.problem else f"已有的内容被改动：前 {before.size} 字节与上次的摘要不符" if now.size == before.size else "变短了，原来的内容不在轮转的文件里"


def last_marks(connection: Connection) -> dict[str, Mark]:
    """What the last record said, by path."""
    t = audit.c
    found = connection.scalar(select(t.detail).where(t.chain == PLATFORM, t.action == ACTION).order_by(t.seq.desc()).limit(1))
    files: Mapping[str, Any] = (found or {}).get("files", {})
    return {path: Mark(inode=int(one[0]), size=int(one[1]), sm3=str(one[2])) for path, one in files.items() if one[2]}


def watch_host_files(connection: Connection, patterns: Sequence[str], *, at: datetime) -> int:
    """Compare with the last record, raise alarms, write the next record; how many were altered."""
    if not patterns:
        return 0
    before = last_marks(connection)
    paths = find_files(patterns)
    wrong = {path: problem for path in {*paths, *before} if path in before and (problem := problem_of(path, before[path]))}
    for path, problem in sorted(wrong.items()):
        raise_alarm(connection, kind="host", subject=path, text=f"服务器文件 {path} {problem}", at=at)
    marks = {path: mark_of(path) for path in paths}
    files = {path: [mark.inode, mark.size, mark.sm3] for path, mark in marks.items()}
    unread = sorted(path for path, mark in marks.items() if mark.problem)
    note(connection, actor=None, at=at, action=ACTION, object=f"{len(files)} 个文件", detail={"files": files, **({"unread": unread} if unread else {}), **({"wrong": sorted(wrong)} if wrong else {})})
    return len(wrong)
