"""Every way through the tutorial's diagram, with the weather board as a real server."""
from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from engine.kernel.clock import FixedClock
from engine.runtime.fire_due_timers import fire_due_timers
from integrations.weather_board.simulator import make_server
from tests.packs.walk import Walker


@pytest.fixture(autouse=True)
def weather(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    server = make_server()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("CONNECTOR_WEATHER_BOARD_URL", f"http://127.0.0.1:{server.server_port}")
    yield
    server.shutdown()
    server.server_close()


def ask(walk: Walker, place: str) -> None:
    walk.start("officer", "borrow_umbrella.borrow_umbrella", {"place": place, "days": 1})
    walk.run_jobs()


def test_rain_means_an_umbrella(walk: Walker) -> None:
    ask(walk, "公园")

    assert walk.waiting() == {"hand_over"}


def test_no_rain_means_no_umbrella(walk: Walker) -> None:
    ask(walk, "沙漠")

    assert walk.waiting() == set()


def test_no_forecast_means_an_umbrella_to_be_safe(walk: Walker) -> None:
    ask(walk, "月球")

    assert walk.waiting() == {"hand_over"}


def test_a_returned_umbrella_closes_the_case_and_stands_in_the_register(walk: Walker, app: Any) -> None:
    ask(walk, "公园")
    walk.do("office_head", "hand_over", "lent")

    walk.do("office_head", "give_back", "returned", {"condition": "good"})

    with app.db.connect() as connection:
        row = connection.exec_driver_sql("SELECT place, condition FROM reg.borrow_umbrella__umbrella_loan").one()
    assert tuple(row) == ("公园", "good")
    assert walk.case()["state_title"] == "已归还"


def test_no_umbrella_left_needs_a_word_and_ends(walk: Walker) -> None:
    ask(walk, "公园")

    walk.do("office_head", "hand_over", "none_left", opinion="都借出去了。")

    assert walk.waiting() == set()


def test_after_three_days_the_borrower_is_reminded_and_still_has_the_umbrella(walk: Walker, app: Any, clock: FixedClock) -> None:
    ask(walk, "公园")
    walk.do("office_head", "hand_over", "lent")
    clock.advance(timedelta(days=3, minutes=1))

    fire_due_timers(app, clock.now())
    walk.run_jobs()

    with app.db.connect() as connection:
        texts = [row.text for row in connection.exec_driver_sql("SELECT text FROM notice WHERE kind = 'case'")]
    assert any("三天" in text for text in texts)
    assert walk.waiting() == {"give_back"}
