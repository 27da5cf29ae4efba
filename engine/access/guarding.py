"""The jobs that guard the trail and the rights: what the clock orders every hour, and the round that moves texts to a new key."""
from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection

from engine.access import integrity
from engine.access.alarms import raise_alarm
from engine.access.anchors import Report, as_line, check_trail, keep_outside, set_anchor
from engine.access.audit import note
from engine.access.host_files import watch_host_files
from engine.kernel.release import ReleaseReport, check_release, trusted_key
from engine.kernel.settings import ROOT

ANCHOR = "access.anchor"
VERIFY = "access.verify"


def anchor_folder(app: Any) -> Path:
    """Where anchors are kept outside the database."""
    return Path(app.settings.data_dir) / "anchors"


def anchor(app: Any) -> None:
    """The job: sign the heads of all chains, keep the anchor outside, and compare the rows of rights with their seals."""
    at = app.clock.now()
    note_restore(app, at=at)
    with app.db.begin() as connection:
        watch_host_files(connection, app.settings.host_files, at=at)
    anchor_now(app, at=at)
    with app.db.begin() as connection:
        watch_rights(connection, app, at=at)
    integrity.remember_sealed(app.keys)


def anchor_now(app: Any, *, at: datetime) -> int | None:
    """Set an anchor; its number, or None when nothing was written since the last one."""
    with app.db.begin() as connection:
        made = set_anchor(connection, app.keys, at=at)
    if made is None:
        return None
    keep_outside(anchor_folder(app), as_line(made))
    return int(made["seq"])


def watch_rights(connection: Connection, app: Any, *, at: datetime) -> int:
    """Seal the rows of tables that never were; raise an alarm for each row changed past the platform. How many were found."""
    if fresh := integrity.seal_new_tables(connection, app.keys):
        note(connection, actor=None, at=at, action="rights.sealed", object="、".join(fresh))
    found = integrity.check(connection, app.keys)
    for table, row_key, what in found:
        title = integrity.TITLES.get(table, table)
        raise_alarm(connection, kind="access", subject=f"{table}:{row_key}", text=f"{title} {row_key}：{what}", at=at)
    return len(found)


def order_check(app: Any, connection: Connection) -> None:
    """Let the worker verify the whole trail now."""
    app.jobs.defer(connection, VERIFY, queueing_lock=VERIFY)


def verify_trail(app: Any) -> None:
    """The job: anchor, then verify anchors, chains, rows of rights and programs; alarms for what is wrong, the result on record."""
    at = app.clock.now()
    anchor_now(app, at=at)
    started = time.monotonic()
    with app.db.connect() as connection:
        report = check_trail(connection, app.keys, folder=anchor_folder(app))
    took = max(time.monotonic() - started, 0.001)
    programs = check_release(ROOT, trusted=trusted_key(app.settings.data_dir))
    with app.db.begin() as connection:
        wrong = watch_rights(connection, app, at=at) + watch_host_files(connection, app.settings.host_files, at=at) + _alarms(connection, report, programs, at)
        detail = {"good": wrong == 0, "problems": wrong, "records": report.records, "anchors": report.anchors, "chains": len(report.chains), "per_second": int(report.records / took)}
        note(connection, actor=None, at=at, action="audit.verify", object="全部", detail=detail)
    integrity.remember_sealed(app.keys)


def _alarms(connection: Connection, report: Report, programs: ReleaseReport, at: datetime) -> int:
    found = [("anchor", f"anchor:{report.anchor_break.seq}", f"锚点第 {report.anchor_break.seq} 个：{report.anchor_break.why}")] if report.anchor_break else []
    found += [("audit", f"{one.chain}:{one.broken.seq}", f"链 {one.chain} 第 {one.broken.seq} 条：{one.broken.why}") for one in report.chains if one.broken]
    found += [("release", problem, problem) for problem in programs.problems[:20]]
    for kind, subject, words in found:
        raise_alarm(connection, kind=kind, subject=subject, text=words, at=at)
    return len(found)


def note_restore(app: Any, *, at: datetime) -> None:
    """A platform that came from a backup says so in its trail, once."""
    file = Path(app.settings.data_dir) / "restored.json"
    if file.exists():
        with app.db.begin() as connection:
            note(connection, actor=None, at=at, action="platform.restore", object="整个平台", detail=orjson.loads(file.read_bytes()))
        file.unlink()


JOBS = {ANCHOR: anchor, VERIFY: verify_trail}
