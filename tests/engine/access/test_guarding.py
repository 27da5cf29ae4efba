from __future__ import annotations

from typing import Any

from sqlalchemy import text

from engine.access import hourly, integrity
from engine.access.alarms import LEVELS, alarms, raise_alarm
from tests.engine.runtime.walk import start_clue
from tests.town import Town


def state(town: Town) -> dict[str, Any]:
    with town.app.db.connect() as connection:
        return {name: connection.scalar(text(f"SELECT count(*) FROM {name}")) for name in ("audit_anchor", "integrity_alarm")}


def test_the_clock_orders_an_anchor_every_hour_and_a_change_past_the_platform_becomes_an_alarm(town: Town) -> None:
    start_clue(town)
    hourly.run(town.app, at=town.app.clock.now())
    hourly.run(town.app, at=town.app.clock.now())
    assert town.app.jobs.run_due(town.app) >= 1
    assert state(town) == {"audit_anchor": 1, "integrity_alarm": 0}
    with town.app.db.connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.execute("UPDATE account SET rights = '[\"admin\"]' WHERE login = 'officer'")
        raw.commit()
    for _ in range(2):
        hourly.run(town.app, at=town.app.clock.now())
        town.app.jobs.run_due(town.app)
    with town.app.db.begin() as connection:
        rows = alarms(connection)
        assert len(rows) == 1 and "账号" in rows[0].text and "不经平台改动" in rows[0].text
        assert LEVELS[rows[0].level] == "高危"
        assert not raise_alarm(connection, kind="access", subject=rows[0].subject, text="again", at=town.app.clock.now())
        assert integrity.sealed_at_all(connection)
