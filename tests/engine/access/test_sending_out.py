"""The trail goes out as RFC 5424 lines, every record once, whatever the log server does."""
from __future__ import annotations

import re
import socket
import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from engine.access import sending_out
from engine.access.alarms import raise_alarm
from engine.access.audit import note
from engine.kernel import syslog
from engine.storage.tables.organisation import audit
from tests.town import Town

SHAPE = re.compile(r"^<(\d+)>1 \d{4}-\d\d-\d\dT[\d:.]+Z \S+ guicheng - \S+ \[guicheng@32473( [\w@-]+=\"(\\.|[^\"\\\]])*\")+\] \ufeff", re.S)


class Receiver:
    """A log server on a free port of this machine; ``lines`` holds what came."""

    def __init__(self, kind: str) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(5)
        self.address = f"{kind}://127.0.0.1:{self.socket.getsockname()[1]}"
        self.lines: list[str] = []
        if kind == "tcp":
            self.socket.listen(8)
            threading.Thread(target=self._take, daemon=True).start()

    def _take(self) -> None:
        while True:
            try:
                stream, _ = self.socket.accept()
            except OSError:
                return
            with stream:
                self.lines += syslog_frames(stream.makefile("rb").read())

    def read(self) -> list[str]:
        self.socket.settimeout(0.3)
        try:
            while True:
                self.lines.append(self.socket.recv(70_000).decode())
        except TimeoutError:
            return self.lines


def syslog_frames(data: bytes) -> list[str]:
    found = []
    while data:
        size, _, rest = data.partition(b" ")
        found.append(rest[: int(size)].decode())
        data = rest[int(size) :]
    return found


@pytest.mark.requirement("NFM-060")
def test_every_record_goes_out_once_with_the_assets_once_a_day_and_nothing_is_lost(town: Town) -> None:
    server, app, at = Receiver("udp"), town.app, town.app.clock.now()
    app = replace(app, settings=replace(app.settings, syslog=server.address))
    with app.db.begin() as connection:
        note(connection, actor=town.actor("officer"), at=at, action="act.complete", object='a "quoted" ] \\ thing', network="2001:db8::7", detail={"n": 1})
        raise_alarm(connection, kind="audit", subject="x", text="链断了\n第二行", at=at, level="high")
    with app.db.connect() as connection:
        total = connection.scalar(select(func.count()).select_from(audit)) or 0
    assert sending_out.send_out(app, at=at) == total + 1
    lines = server.read()
    assert len(lines) == total + 1 and all(SHAPE.match(one) for one in lines)
    assert 'kind' not in lines[0] and "SQLAlchemy" in lines[0] and "PostgreSQL" in lines[0]
    mine = next(one for one in lines if "act.complete" in one)
    assert 'network="2001:db8::7"' in mine and 'object="a \\"quoted\\" \\] \\\\ thing"' in mine and f"<{13 * 8 + 6}>" in mine
    alarm = next(one for one in lines if "alarm.raise" in one)
    assert f"<{4 * 8 + 2}>" in alarm and "\n" not in alarm
    assert sending_out.send_out(app, at=at) == 0
    away = replace(app, settings=replace(app.settings, syslog="tcp://127.0.0.1:1"))
    for _ in range(2):
        with app.db.begin() as connection:
            note(connection, actor=None, at=at, action="trace.view", object="later")
        sending_out.try_sending(away, at=at)
    with app.db.connect() as connection:
        assert connection.scalar(select(func.count()).where(audit.c.action == "syslog.failed")) == 1
    stream = Receiver("tcp")
    assert sending_out.send_out(replace(app, settings=replace(app.settings, syslog=stream.address)), at=at) == 3
    for _ in range(50):
        if len(stream.lines) == 3:
            break
        threading.Event().wait(0.05)
    assert [one for one in stream.lines if SHAPE.match(one)] == stream.lines and len(stream.lines) == 3


def test_without_a_server_nothing_is_sent_and_a_wrong_address_is_named(town: Town) -> None:
    assert sending_out.send_out(town.app, at=town.app.clock.now()) == 0
    with pytest.raises(ValueError, match="udp://"):
        syslog.send("http://x", [b""])
    line = syslog.line(at=datetime(2026, 1, 1, tzinfo=UTC), facility="audit", severity="info", kind="a b", text="x", data={"a]=": "]\"\\"}, host="主机")
    assert b"a_b" in line and b'a__="\\]\\"\\\\"' in line
