"""Exchanges with 网格化, 12345 and the districts' systems, over real sockets: fetched from where it broke off, worked, answered, counted by both sides."""
from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Iterator
from datetime import date, timedelta
from http.server import ThreadingHTTPServer
from typing import Any

import pytest

from engine.kernel.errors import TryAgain
from engine.packs.manifest import Exchange
from engine.runtime.exchange.compare import compare_day, fetch_missing
from engine.runtime.exchange.listed import counts, get_exchange, items, state_of
from engine.runtime.exchange.purge import purge_items
from engine.runtime.exchange.receive import take_items
from engine.runtime.exchange.run_exchange import order_exchanges, run_exchange, steer_exchange
from engine.sdk.simulating_exchange import SimulatedExchange
from tests.packs.illegal_building.points import make, newest, point, record, records
from tests.packs.walk import Walker

GRID, RESULTS, CASES, REMOVALS, POINTS = (f"illegal_building.{name}" for name in ("grid_cases", "grid_results", "district_cases", "district_demolitions", "district_points"))


def told(number: int, **more: Any) -> dict[str, Any]:
    return {
        "key": f"WG{number:03}", "day": "2026-11-19", "external_number": f"WG{number:03}", "unit_code": "CG-A-J1", "title": f"来件 {number}", "address": f"东街道某路 {number} 号",
        "content": "巡查发现搭建。", "found_on": "2026-11-18", "area": 10, **more,
    }


class Outside:
    """A simulated system on a socket, configured for the application."""

    def __init__(self, system: str, monkeypatch: pytest.MonkeyPatch, **feeds: Any) -> None:
        self.state = SimulatedExchange(feeds=feeds, takes=("results", "replies", "points", "scores"))
        self.server: ThreadingHTTPServer = self.state.server()
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        monkeypatch.setenv(f"CONNECTOR_{system.upper()}_URL", self.url)

    def behave(self, mode: str) -> None:
        sent = urllib.request.Request(f"{self.url}/simulator/behaviour", data=json.dumps({"mode": mode}).encode(), method="PUT")
        urllib.request.urlopen(sent, timeout=5).close()


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    made: list[Outside] = []

    def make(system: str, **feeds: Any) -> Outside:
        made.append(Outside(system, monkeypatch, **feeds))
        return made[-1]

    yield make
    for one in made:
        one.server.shutdown()
        one.server.server_close()


def test_items_whose_time_is_over_are_counted_and_cleared_and_the_refused_stay(walk: Walker, outside: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    outside("grid_system", cases=[told(1), told(2), told(3, unit_code="nowhere"), told(4, day="2026-11-20")])
    run_exchange(walk.app, name=GRID)
    assert purge_items(walk.app, at=walk.app.clock.now() + timedelta(days=1094)) == 0
    monkeypatch.setattr("engine.runtime.exchange.purge.BATCH", 1)  # portion by portion
    later = walk.app.clock.now() + timedelta(days=1095)
    assert purge_items(walk.app, at=later) == 2 and purge_items(walk.app, at=later) == 0
    assert set(kept(walk, GRID)) == {"WG003", "WG004"}
    found = compare_day(walk.app, name=GRID, day=date(2026, 11, 19))
    assert (found.theirs, found.ours, found.cleared, found.refused, found.missing) == (3, 3, 2, ["WG003"], [])
    assert compare_day(walk.app, name=GRID, day=date(2026, 11, 20)).even
    run_exchange(walk.app, name=GRID)
    assert set(kept(walk, GRID)) == {"WG003", "WG004"}, "what was cleared is not fetched again"


def kept(walk: Walker, name: str) -> dict[str, tuple[str, str]]:
    with walk.app.db.connect() as connection:
        return {row["key"]: (row["state"], row["told"]) for row in items(connection, exchange=name)}


def to_case(walk: Walker, name: str, key: str) -> None:
    with walk.app.db.connect() as connection:
        walk.case_id = next(row["case_id"] for row in items(connection, exchange=name) if row["key"] == key)
    walk.run_jobs()


def later(walk: Walker) -> None:
    walk.app.clock.advance(timedelta(minutes=10))  # type: ignore[attr-defined]


@pytest.mark.requirement("CMD-035", "CMD-036")
@pytest.mark.parametrize(("system", "name", "feed", "back", "source"), [("grid_system", "grid_cases", "cases", "grid_results", "grid"), ("hotline_12345", "hotline_tickets", "tickets", "hotline_replies", "hotline")])
def test_cases_come_are_worked_and_answered(walk: Walker, outside: Any, system: str, name: str, feed: str, back: str, source: str) -> None:
    there = outside(system, **{feed: [told(1), told(2, unit_code="没有"), told(3, title=""), told(4)]})
    name, back = f"illegal_building.{name}", f"illegal_building.{back}"
    assert order_exchanges(walk.app, at=walk.at) == 2 and order_exchanges(walk.app, at=walk.at) == 0
    walk.run_jobs()
    assert {key: state for key, (state, _) in kept(walk, name).items()} == {"WG001": "done", "WG002": "refused", "WG003": "refused", "WG004": "done"}
    assert "没有代码为“没有”的单位" in kept(walk, name)["WG002"][1] and "缺少标题" in kept(walk, name)["WG003"][1]
    later(walk)
    run_exchange(walk.app, name=name)
    assert len(records(walk, "illegal_building.report")) == 2

    to_case(walk, name, "WG001")
    assert walk.waiting() == {"verify"} and walk.holders("verify") == {"a1_street"}
    walk.do("a1_street", "verify", "new", {"title": "某路 1 号搭建", "kind": "new", "address": "东街道某路 1 号", "location": {"lon": 121.45, "lat": 31.23}, "area": 10, "found_on": "2026-11-18"})
    made = newest(walk, "illegal_building.point")
    assert (made["source"], made["source_number"], made["status"]) == (source, "WG001", "open")
    to_case(walk, name, "WG004")
    walk.do("a1_street", "verify", "none", {}, opinion="现场没有搭建。")
    later(walk)
    order_exchanges(walk.app, at=walk.at)
    walk.run_jobs()
    results = {one["external_number"]: one["result"] for one in there.state.taken[back.split("_")[-1]]}
    assert results == {"WG001": "new", "WG004": "none"}
    answered = compare_day(walk.app, name=back, day=walk.at.date())
    assert answered.even and answered.theirs == 2
    compared = compare_day(walk.app, name=name, day=date(2026, 11, 19))
    assert (compared.theirs, compared.ours, list(compared.missing), list(compared.refused)) == (4, 4, [], ["WG002", "WG003"]) and not compared.even


def test_what_breaks_off_goes_on_where_it_was_and_what_fails_is_on_the_page(walk: Walker, outside: Any) -> None:
    there = outside("grid_system", cases=[told(n) for n in range(1, 61)])
    pages: list[str] = []
    original = there.state._page

    def breaking(feed: str, call: Any) -> Any:
        pages.append(call.query.get("after", ""))
        return (503, {"message": "断了"}) if len(pages) == 2 else original(feed, call)

    there.state._page = breaking
    with pytest.raises(TryAgain):
        run_exchange(walk.app, name=GRID)
    assert len(kept(walk, GRID)) == 50
    with walk.app.db.connect() as connection:
        held = state_of(connection, GRID)
    assert held["cursor"] == "50" and held["failures"] == 1 and "503" in held["problem"]
    run_exchange(walk.app, name=GRID)
    with walk.app.db.connect() as connection:
        assert counts(connection)[(GRID, "done")] == 60 and state_of(connection, GRID)["failures"] == 0
    assert pages == ["", "50", "50"]
    for mode in ("down", "garbled"):
        there.behave(mode)
        with pytest.raises(TryAgain):
            run_exchange(walk.app, name=GRID)
    there.behave("ok")
    with pytest.raises(Exception, match="值守|权"):
        steer_exchange(walk.app, actor=walk.actor("a1_street"), name=GRID, stop=True, reason="演练", at=walk.at)


@pytest.mark.requirement("CMD-037")
def test_the_districts_system_gives_cases_and_removals_and_gets_points_and_scores(walk: Walker, outside: Any) -> None:
    known = point(walk, title="某路 8 号加建", address="东街道某路 8 号", location={"lon": 121.45, "lat": 31.23})
    there = outside("district_demolition", cases=[told(1)], demolitions=[told(8, removed_on="2026-11-19", way="helped", words="助拆", location={"lon": 121.45, "lat": 31.23})])
    later(walk)
    order_exchanges(walk.app, at=walk.at)
    walk.run_jobs()
    to_case(walk, CASES, "WG001")
    walk.do("a1_street", "verify", "known", {"point": str(known)}, opinion="就是这一处。")
    to_case(walk, REMOVALS, "WG008")
    assert walk.waiting() == {"confirm"} and walk.holders("confirm") == {"a_works"}
    walk.do("a_works", "confirm", "removed", {"point": str(known), "removed_on": "2026-11-19", "area": 20})
    assert record(walk, "illegal_building.point", known)["status"] == "closed" and newest(walk, "illegal_building.closing")["way"] == "demolished"
    make_result(walk)
    later(walk)
    for name in (POINTS, "illegal_building.district_scores"):
        run_exchange(walk.app, name=name)
    given = there.state.taken["points"]
    assert given[-1]["title"] == "某路 8 号加建" and given[-1]["status"] == "closed" and given[-1]["location"] == {"lon": 121.45, "lat": 31.23} and "owner_phone" not in given[-1]
    assert there.state.taken["scores"][-1]["total"] == 92.5 and there.state.taken["scores"][-1]["assessed"] == "CG-A"
    before = len(given)
    run_exchange(walk.app, name=POINTS)
    assert len(given) == before
    there.behave("refuse")
    point(walk, title="又一处")
    later(walk)
    run_exchange(walk.app, name=POINTS)
    assert [state for state, _ in kept(walk, POINTS).values()].count("refused") == 1


def make_result(walk: Walker) -> None:
    make(walk, "assessment.result", unit="CG-A-CW", title="拆违考核", period="2026 年", assessed=str(walk.bureau.units["CG-A"]), total="92.5", place=1, closed_on="2026-11-19")


def test_what_was_missed_is_fetched_by_its_key(walk: Walker, outside: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    there = outside("grid_system", cases=[told(1), told(2, unit_code="没有")])
    run_exchange(walk.app, name=GRID)
    there.state.feeds["cases"].insert(0, told(9))
    there.state.feeds["cases"][2]["unit_code"] = "CG-A-J2"
    compared = compare_day(walk.app, name=GRID, day=date(2026, 11, 19))
    assert list(compared.missing) == ["WG009"] and list(compared.refused) == ["WG002"]
    operator = walk.actor("a1_street")
    object.__setattr__(operator, "rights", frozenset({"operator"}))
    assert fetch_missing(walk.app, actor=operator, name=GRID, keys=["WG009", "WG002", "WG001"], at=walk.at) == 2
    assert compare_day(walk.app, name=GRID, day=date(2026, 11, 19)).even
    declared: Exchange = get_exchange(walk.app.catalogue, GRID)
    assert take_items(walk.app, declared, [], at=walk.at) == 0
