"""The trail is kept: nobody takes a record away, by a page, a command, a job or a statement; it is asked, counted, charted and carried off."""
from __future__ import annotations

import gzip
import itertools
import re
from datetime import timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import ProgrammingError

from engine.access.audit import note
from engine.access.audit_check import chains, record_hash, verify
from engine.cli.clock import MINUTELY, hourly_tasks
from engine.kernel.clock import FixedClock
from engine.kernel.settings import ROOT
from engine.storage.tables.organisation import audit
from tests.browser import Browser
from tests.town import Town


@pytest.fixture
def auditor(town: Town) -> Browser:
    with town.app.db.begin() as connection:
        connection.execute(text("UPDATE account SET rights = '[\"auditor\"]' WHERE login = 'keeper'"))
        for number in range(40):
            action = ("act.complete", "登录失败", "trace.download", "rights.change")[number % 4]
            note(connection, actor=town.actor("officer"), at=town.app.clock.now() - timedelta(days=number % 5), action=action, object=str(number))
    return Browser(town.app, "keeper")


@pytest.mark.requirement("NFM-050")
@pytest.mark.requirement("NFR-061")
@pytest.mark.requirement("NFM-058")
def test_nobody_takes_a_record_away_within_half_a_year_or_later(town: Town, auditor: Browser) -> None:
    app = town.app
    for statement in ("DELETE FROM audit", "UPDATE audit SET actor_name = 'x'", "TRUNCATE audit", "DELETE FROM audit_anchor WHERE true", "TRUNCATE audit, audit_head"):
        with app.db.connect() as connection:
            connection.execute(text("INSERT INTO audit_anchor (seq, at, heads, before, hash, certificate, signature) VALUES (999, now(), '[]', '', '', '', '')"))
            with pytest.raises(ProgrammingError, match="只增不改"):
                connection.execute(text(statement))
    source = [path for path in (ROOT / "engine").rglob("*.py") if path.name != "audit_triggers.py"]
    takes_away = [str(path) for path in source if re.search(r"delete\(audit\)|update\(audit\)|(DELETE FROM|UPDATE|TRUNCATE) audit\b", path.read_text())]
    assert takes_away == []
    with app.db.connect() as connection:
        before = connection.scalar(select(func.count()).select_from(audit)) or 0
    assert isinstance(app.clock, FixedClock)
    app.clock.advance(timedelta(days=300))
    for _, task in [*hourly_tasks(), *hourly_tasks(MINUTELY)]:
        task(app, at=app.clock.now())
    app.jobs.run_due(app)
    with app.db.connect() as connection:
        assert (connection.scalar(select(func.count()).select_from(audit)) or 0) >= before
        assert [verify(connection, chain) for chain in chains(connection)] == [None] * len(chains(connection))


@pytest.mark.requirement("NFM-059")
def test_the_trail_is_asked_exported_carried_off_kept_under_names_and_charted(town: Town, auditor: Browser) -> None:
    page = auditor.get("/admin/audit?kind=failed").text
    assert page.count("登录失败") > 10 and "办理</td>" not in page
    assert auditor.get("/admin/audit/records.csv?kind=failed").text.count("登录失败") == 10
    report = auditor.get("/admin/audit/report").text
    assert 'role="img"' in report and report.count("<rect") > 10 and "审计报表" in report and "顾明川" in report
    sheet = auditor.get("/admin/audit/report.csv").text.splitlines()
    assert len(sheet) == 31 and sheet[0].startswith("\ufeff日期,办理") and "导出" in sheet[0]
    assert sum(int(line.split(",")[1]) for line in sheet[1:]) >= 10
    carried = auditor.post("/admin/audit/dump")
    lines = [orjson.loads(line) for line in gzip.decompress(carried.data).splitlines()]
    with town.app.db.connect() as connection:
        rows: Any = connection.execute(select(audit).order_by(audit.c.chain, audit.c.seq)).mappings().all()
    inside = [row for row in rows if row["at"] <= town.app.clock.now()]  # changed rights bear the database's own time
    assert len(lines) >= len(inside) - 1 > 35 and carried.mimetype == "application/gzip"
    kept = {(line["record"][0], line["record"][1]): line for line in lines}
    for before, row in itertools.pairwise(rows):
        if before["chain"] == row["chain"] and (row["chain"], row["seq"]) in kept:
            assert record_hash(before["hash"], kept[row["chain"], row["seq"]]["record"]).hex() == kept[row["chain"], row["seq"]]["hash"]
    assert auditor.post("/admin/audit/views?kind=failed&name=顾明川", {"title": "小顾的失败"}).status_code == 303
    again = auditor.get("/admin/audit").text
    link = re.search(r'href="(/admin/audit\?kind=failed[^"]*)">小顾的失败', again)
    assert link is not None and auditor.get(link[1].replace("&amp;", "&")).text.count("登录失败") > 10
    drop = re.search(r'/admin/audit/views/[0-9a-f-]{36}/drop', again)
    assert drop is not None and auditor.post(drop[0]).status_code == 303 and "小顾的失败" not in auditor.get("/admin/audit").text
    for path in ("/admin/audit/report?from=2026-01-01&until=2026-12-31", "/admin/audit/report?from=x"):
        assert auditor.get(path).status_code == 422
    other = Browser(town.app, "officer")
    assert [other.get("/admin/audit/report").status_code, other.get("/admin/audit/report.csv").status_code, other.post("/admin/audit/dump").status_code, other.post("/admin/audit/views", {"title": "x"}).status_code] == [403] * 4
