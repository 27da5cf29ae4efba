"""The jobs that guard the trail and the rights: what the clock orders every hour, and the round that moves texts to a new key."""
from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from engine.access import integrity
from engine.access.alarms import raise_alarm
from engine.access.anchors import as_line, keep_outside, set_anchor

ANCHOR = "access.anchor"


def anchor_folder(app: Any) -> Path:
    """Where anchors are kept outside the database."""
    return Path(app.settings.data_dir) / "anchors"


def anchor(app: Any) -> None:
    """The job: sign the heads of all chains, keep the anchor outside, and compare the rows of rights with their seals."""
    at = app.clock.now()
    anchor_now(app, at=at)
    with app.db.begin() as connection:
        watch_rights(connection, app, at=at)


def anchor_now(app: Any, *, at: datetime) -> int | None:
    """Set an anchor; its number, or None when nothing was written since the last one."""
    with app.db.begin() as connection:
        made = set_anchor(connection, app.keys, at=at)
    if made is None:
        return None
    keep_outside(anchor_folder(app), as_line(made))
    return int(made["seq"])


def watch_rights(connection: Connection, app: Any, *, at: datetime) -> int:
    """Seal all rows at the first start; later raise an alarm for each row changed past the platform. How many were found."""
    if not integrity.sealed_at_all(connection):
        integrity.seal_everything(connection, app.keys)
        return 0
    found = integrity.check(connection, app.keys)
    for table, row_key, what in found:
        title = integrity.TITLES.get(table, table)
        raise_alarm(connection, kind="access", subject=f"{table}:{row_key}", text=f"{title} {row_key}：{what}", at=at)
    return len(found)


JOBS = {ANCHOR: anchor}
