"""What one request costs in SQL, as PostgreSQL counted it, against docs/sql-ledger.md, which says what each statement is for."""
from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from engine.kernel.settings import ROOT
from tests.browser import Browser
from tests.engine.runtime.walk import HANDLING, application, open_task, start_clue
from tests.statements import Counted, counted
from tests.town import Town

LEDGER = ROOT / "docs" / "sql-ledger.md"
MOST = {"review": 12, "handling": 14, "application": 14, "return": 14, "claim": 8, "release": 8, "draft": 6, "desk": 8, "case": 16}
ACTS = {"review", "handling", "application", "return", "claim", "release", "draft"}


def fields(data: Mapping[str, Any], prefix: str = "data") -> dict[str, str]:
    """``data`` as a browser posts it: ``data.party.name``."""
    flat: dict[str, str] = {}
    for name, value in data.items():
        flat |= fields(value, f"{prefix}.{name}") if isinstance(value, Mapping) else {f"{prefix}.{name}": str(value)}
    return flat


class Meter:
    """Walks one clue through HTTP; ``counts`` holds what each request sent to the database."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.case_id: UUID | None = None
        self.counts: dict[str, Counted] = {}
        self.people = {login: Browser(town.app, login) for login in ("officer", "head", "staff")}

    def get(self, name: str, login: str, path: str) -> None:
        with counted(self.town.app.db) as seen:
            answer = self.people[login].get(path)
        assert answer.status_code == 200, answer.text
        self.counts[name] = seen

    def post(self, name: str, login: str, node: str, verb: str, **sent: str) -> None:
        path = f"/tasks/{open_task(self.town, node, self.case_id)['id']}/{verb}"
        with counted(self.town.app.db) as seen:
            answer = self.people[login].post(path, {"key": str(uuid4()), **sent}, headers={"X-Guicheng-Fetch": "1"})
        assert answer.status_code == 200, answer.text
        self.counts[name] = seen

    def walk(self) -> dict[str, Counted]:
        self.case_id = start_clue(self.town).case_id
        self.get("case", "officer", f"/cases/{self.case_id}")
        self.post("draft", "officer", "verify", "draft", rev="0", **fields(HANDLING))
        self.post("handling", "officer", "verify", "complete", outcome="file", **fields(HANDLING))
        self.post("application", "officer", "draft", "complete", outcome="submit", **fields(application(self.town)))
        self.get("desk", "head", "/desk")
        for verb, name in (("claim", "claim"), ("release", "release"), ("claim", "claim")):
            self.post(name, "head", "office_review", verb)
        self.post("review", "head", "office_review", "complete", outcome="approve", opinion="事实清楚，同意上报。")
        self.post("return", "staff", "section_review", "return", to_node="draft", opinion="请补正案由。")
        return self.counts


@pytest.fixture
def warm(town: Town) -> Town:
    """A town whose caches hold what was compiled, and which doesn't look for a deploy meanwhile."""
    Meter(town).walk()
    town.app.library.CHECK_SECONDS = 3600.0
    town.app.library.refresh(now=True)
    return town


def ledger() -> dict[str, list[str]]:
    """{act: beginnings of its statements} as the page names them: the code in the second column of each table."""
    named: dict[str, list[str]] = {}
    for part in LEDGER.read_text(encoding="utf-8").split("\n## ")[1:]:
        found = re.match(r".*（`(\w+)`）", part)
        if found:
            named[found[1]] = [row[0] for row in re.findall(r"^\| \d+ \| `([^`]+)` \|(.*)\|$", part, flags=re.MULTILINE)]
    return named


def unnamed(statements: list[str], rows: list[str]) -> list[str]:
    """Statements that no row of the ledger stands for, and rows that nothing was measured for; each row stands for one."""
    left, missing = list(rows), []
    for statement in statements:
        fitting = next((row for row in left if re.fullmatch(".*".join(map(re.escape, row.split(" … "))) + ".*", statement)), None)
        if fitting is None:
            missing.append(f"not in the ledger: {statement[:200]}")
        else:
            left.remove(fitting)
    return missing + [f"not measured: {row}" for row in left]


def test_every_act_and_page_stays_within_its_budget_and_the_ledger_names_each_statement(warm: Town) -> None:
    counts = Meter(warm).walk()
    named = ledger()
    for name, most in MOST.items():
        seen = counts[name]
        assert len(seen.statements) <= most, f"{name}: {seen}"
        assert seen.commits == (1 if name in ACTS else 0), f"{name}: {seen.frames}"
        assert unnamed(seen.statements, named[name]) == [], name


def test_a_session_is_touched_at_most_once_a_minute_and_that_is_one_statement_more(warm: Town, clock: Any) -> None:
    officer = Browser(warm.app, "officer")
    officer.get("/desk")
    clock.advance(timedelta(seconds=61))
    with counted(warm.app.db) as first:
        officer.get("/desk")
    with counted(warm.app.db) as second:
        officer.get("/desk")
    assert (len(first.statements) - len(second.statements), first.commits, second.commits) == (1, 1, 0)


def test_a_submit_sent_twice_is_answered_from_history_without_a_write(warm: Town) -> None:
    case_id = start_clue(warm).case_id
    officer, sent = Browser(warm.app, "officer"), {"key": str(uuid4()), "outcome": "file", **fields(HANDLING)}
    path = f"/tasks/{open_task(warm, 'verify', case_id)['id']}/complete"
    assert officer.post(path, sent).status_code == 303
    with counted(warm.app.db) as again:
        assert officer.post(path, sent).status_code == 303
    assert not [text for text in again.statements if text.startswith(("INSERT", "UPDATE", "DELETE", "WITH"))]
