"""The server's own logs and access files: growing is no matter, altering is told, turning over is found again, and the trail says what they were."""
from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from engine.access.host_files import last_marks, watch_host_files
from engine.storage.tables.organisation import audit
from engine.storage.tables.proof import integrity_alarm
from tests.town import Town


@pytest.mark.requirement("NFR-064")
def test_a_log_may_grow_and_turn_over_but_not_change_and_an_access_file_may_not_change(town: Town, tmp_path: Path) -> None:
    at, log, rules = town.app.clock.now(), tmp_path / "auth.log", tmp_path / "sshd_config"
    patterns = (str(tmp_path / "*.log"), str(rules), str(tmp_path / "missing"))
    log.write_text("一\n")
    rules.write_text("PermitRootLogin no\n")
    hour = 0

    def watch() -> tuple[int, list[str]]:
        nonlocal hour
        hour += 1
        with town.app.db.begin() as connection:
            wrong = watch_host_files(connection, patterns, at=at + timedelta(hours=hour))
            texts = connection.scalars(select(integrity_alarm.c.text).where(integrity_alarm.c.kind == "host", integrity_alarm.c.closed_at.is_(None)).order_by(integrity_alarm.c.subject)).all()
            connection.execute(integrity_alarm.update().values(closed_at=at))
            return wrong, [text.rpartition(str(tmp_path))[2] for text in texts]

    assert watch() == (0, [])
    with log.open("a") as file:
        file.write("二\n")
    assert watch() == (0, [])
    log.write_text("一\n三\n")
    assert watch() == (1, ["/auth.log 已有的内容被改动：前 8 字节与上次的摘要不符"])
    assert watch() == (0, [])  # told once
    os.rename(log, tmp_path / "auth.log.1")
    log.write_text("新\n")
    assert watch() == (0, [])
    log.write_text("")
    assert watch() == (1, ["/auth.log 变短了，原来的内容不在轮转的文件里"])
    rules.write_text("PermitRootLogin yes\n")
    log.unlink()
    wrong, told = watch()
    assert wrong == 2 and told[0].startswith("/auth.log 读不到了") and told[1] == "/sshd_config 被改动"
    with town.app.db.connect() as connection:
        records: list[dict[str, Any]] = list(connection.scalars(select(audit.c.detail).where(audit.c.action == "host.files").order_by(audit.c.seq)))
        assert len(records) == 7 and records[0]["unread"] == [str(tmp_path / "missing")] and set(last_marks(connection)) == {str(rules)}
    assert town.app.settings.host_files == () and watch_host_files(None, (), at=at) == 0  # type: ignore[arg-type]
