"""Clues that another system pushes: taken in, given back, or given back by hand when the source says no."""
from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from engine.kernel.errors import Invalid
from engine.runtime.start_on_message import start_on_message
from integrations.clue_source.messages import MESSAGE, ClueNotice
from integrations.clue_source.simulator import make_server, sample_clue
from tests.packs.case_filing.clues import REGISTRATION
from tests.packs.walk import Walker


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    server = make_server()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("CONNECTOR_CLUE_SOURCE_URL", url)
    yield url
    server.shutdown()
    server.server_close()


def returned(url: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(url + "/clues/returns", timeout=5) as response:
        found: list[dict[str, Any]] = json.load(response)["returned"]
    return found


def refuse(url: str) -> None:
    request = urllib.request.Request(url + "/simulator/behaviour", data=b'{"mode": "refuse"}', method="PUT")
    urllib.request.urlopen(request, timeout=5).close()


def push(walk: Walker, *, number: int = 1, unit_code: str = "YP-1") -> ClueNotice:
    clue = sample_clue(number=number, unit_code=unit_code, received_on=date(2026, 11, 19))
    walk.case_id = start_on_message(walk.app, message=MESSAGE, payload=clue.write(), key=clue.key, at=walk.at).case_id
    return clue


@pytest.mark.requirement("PEN-1295")
def test_a_pushed_clue_waits_to_be_confirmed_in_the_unit_it_names(walk: Walker) -> None:
    clue = push(walk)

    assert walk.waiting() == {"confirm_clue"}
    assert walk.holders("confirm_clue") == {"officer", "second"}
    assert (walk.case()["title"], walk.case()["state_title"]) == (clue.title, "待登记")


def test_the_same_push_opens_one_case(walk: Walker) -> None:
    push(walk)
    first = walk.case_id
    push(walk)

    assert walk.case_id == first


def test_a_push_for_an_unknown_unit_is_refused_with_the_field(walk: Walker) -> None:
    with pytest.raises(Invalid) as refused:
        push(walk, unit_code="NOWHERE")

    assert set(refused.value.fields) == {"unit_code"}


@pytest.mark.requirement("PEN-1168")
@pytest.mark.requirement("PEN-1295")
def test_a_clue_that_qualifies_is_registered_and_handled(walk: Walker) -> None:
    push(walk)

    walk.do("officer", "confirm_clue", "accept")
    walk.do("officer", "register_clue", "submit", REGISTRATION)

    assert walk.waiting() == {"verify"}
    assert walk.case()["state_title"] == "已登记"


@pytest.mark.requirement("PEN-1295")
def test_the_system_suggests_a_line_that_the_officer_may_change(walk: Walker) -> None:
    push(walk)
    walk.do("officer", "confirm_clue", "accept")
    walk.do("officer", "register_clue", "submit", REGISTRATION)

    from engine.runtime.begin import load_machine
    from engine.storage.tables.runtime import instance

    with walk.app.db.connect() as connection:
        row = connection.execute(instance.select().where(instance.c.case_id == walk.case_id)).mappings().one()
    facts = load_machine(walk.app, dict(row), walk.at).facts(walk.task("verify")["engine_id"])
    assert (facts["suggested_domain"], facts["suggested_category"]) == ("food_safety", "food")


@pytest.mark.requirement("PEN-1168")
@pytest.mark.requirement("PEN-1295")
def test_a_clue_that_does_not_qualify_goes_back_to_its_source_with_the_reason(walk: Walker, source: str) -> None:
    clue = push(walk)

    walk.do("officer", "confirm_clue", "reject", {"reject_reason": "不属于本局管辖。"})
    walk.run_jobs()

    (back,) = returned(source)
    assert (back["external_id"], back["reason"]) == (clue.external_id, "不属于本局管辖。")
    assert (walk.waiting(), walk.case()["state_title"]) == (set(), "已退回来源")


def test_a_rejection_without_a_reason_is_refused(walk: Walker) -> None:
    push(walk)

    with pytest.raises(Invalid) as refused:
        walk.do("officer", "confirm_clue", "reject")

    assert set(refused.value.fields) == {"reject_reason"}


def test_a_source_that_takes_nothing_back_leaves_it_to_be_done_by_hand(walk: Walker, source: str) -> None:
    push(walk)
    refuse(source)

    walk.do("officer", "confirm_clue", "reject", {"reject_reason": "不属于本局管辖。"})
    walk.run_jobs()
    assert walk.waiting() == {"return_by_hand"}
    walk.do("officer", "return_by_hand", "submit", {"returned_on": "2026-11-20", "returned_to": "投诉举报中心", "way": "公函"})

    assert walk.case()["state_title"] == "已退回来源"
