"""A simulated year ends with every invariant, no clock wrong and no number missing."""
from __future__ import annotations

from collections import defaultdict
from random import Random
from typing import Any

import pytest
from sqlalchemy import select

from engine.deadlines.clocks import events_column, read_events, stored_rule
from engine.kernel.clock import FixedClock
from engine.reference import calendars
from engine.runtime.invariants import find_violations
from engine.storage.tables.cases import case_clock, case_file
from engine.storage.tables.documents import number_book
from engine.storage.tables.runtime import incident
from tests.engine.deadlines.slow_model import slow_due
from tests.packs.ordinary_case.year import Year

WAYS = {"no_penalty", "transfer", "no_violation", "penalty", "suspended", "extended", "terminated", "silent", "hearing", "hearing_refused", "hearing_public", "waive",
        "statement_uphold", "statement_change", "statement_reopen", "evidence_incomplete", "reopened", "legal_review", "deferred"}

GROWING = ["case_file", "case_clock", "case_clock_event", "instance", "task", "act", "submission", "document", "incident", "timer", "subscription", "message_inbox",
           "number_book", "record_history", "attachment", "party", "audit_record", "task_signer", "notice"]


def live(town: Any, clock: FixedClock, *, number: int, seed: int) -> Year:
    year = Year(town, clock, Random(seed))
    year.run(number)
    return year


def judge(year: Year) -> None:
    app = year.town.app
    assert set(year.ways) >= WAYS, WAYS - set(year.ways)
    assert find_violations(app) == []
    with app.db.connect() as connection:
        assert [row.message for row in connection.execute(select(incident.c.message).where(incident.c.status == "open"))] == []
        states = {row.state for row in connection.execute(select(case_file.c.state).where(case_file.c.kind == "case_filing.case"))}
        assert states == {"archived"}
        _clocks(connection)
        _numbers(connection)
        _publicity(connection)


def _clocks(connection: Any) -> None:
    """Every clock has ended, and its due date is what counting day by day gives."""
    calendar = calendars.load(connection)
    for row in connection.execute(select(case_clock, events_column())).mappings():
        assert row["state"] in ("met", "expired"), row["clock"]
        assert row["due_on"] == slow_due(stored_rule(row), row["start_on"], read_events(row["events"]), calendar), row["clock"]


def _numbers(connection: Any) -> None:
    """Every series of numbers of a bureau and year is without a gap."""
    series: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for row in connection.execute(select(number_book)):
        series[row.unit_id, row.year, row.kind].append(row.seq)
    assert series
    for key, found in series.items():
        assert sorted(found) == list(range(1, len(found) + 1)), key


def _publicity(connection: Any) -> None:
    """What was not deferred was published on the seventh working day."""
    calendar = calendars.load(connection)
    rows = connection.exec_driver_sql("""
        SELECT p.published_on, p.deferred, p.deferred_until, d.decided_on FROM reg.case_matters__publicity p
          JOIN reg.ordinary_case__penalty d ON d.case_id = p.case_id WHERE d.decided_on IS NOT NULL""").all()
    assert rows
    for row in rows:
        due = calendar.working_day(calendar.count_upto(row.decided_on) + 7)
        assert row.published_on == (max(due, row.deferred_until) if row.deferred else due)


def _only_by_index(app: Any) -> None:
    """From now on the planner reads a table from end to end only where no index helps."""
    with app.db.connect() as connection:
        connection.exec_driver_sql(f"ALTER DATABASE {app.db.url.database} SET enable_seqscan = off")
        connection.commit()
    app.db.dispose()


def _scans(app: Any) -> dict[str, int]:
    """{growing table: how often it was read from end to end}."""
    app.db.dispose()  # a connection that ends tells what it counted
    with app.db.connect() as connection:
        rows = connection.exec_driver_sql("SELECT relname, seq_scan FROM pg_stat_user_tables WHERE schemaname = 'reg' OR relname = ANY(%s)", (GROWING,))
        return {row.relname: row.seq_scan for row in rows}


def test_a_small_year_takes_every_way_and_reads_no_growing_table_from_end_to_end(town: Any, clock: FixedClock) -> None:
    _only_by_index(town.app)
    before = _scans(town.app)
    year = live(town, clock, number=20, seed=7)
    after = _scans(town.app)
    assert {name: count - before[name] for name, count in after.items() if count > before[name]} == {}
    judge(year)


@pytest.mark.prove
def test_a_year_of_two_thousand_cases(town: Any, clock: FixedClock) -> None:
    judge(live(town, clock, number=2000, seed=2026))
