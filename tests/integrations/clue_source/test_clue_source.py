"""The clue source's client against its simulator: the contract, and each way it can fail."""
from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Iterator
from datetime import date

import pytest

from engine.sdk import BusinessError, ConnectorConfig, TryAgain
from integrations.clue_source.client import make_client
from integrations.clue_source.messages import ClueNotice, MessageError, ReturnedClue
from integrations.clue_source.simulator import make_server, sample_clue

CLUE = ReturnedClue(source="complaint", external_id="TS202611200001", reason="不属于本局管辖", returned_on=date(2026, 11, 20))


@pytest.fixture
def source() -> Iterator[str]:
    server = make_server()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def behave(url: str, mode: str) -> None:
    request = urllib.request.Request(url + "/simulator/behaviour", data=json.dumps({"mode": mode}).encode(), method="PUT")
    urllib.request.urlopen(request, timeout=5).close()


def client(url: str):  # type: ignore[no-untyped-def]
    return make_client(ConnectorConfig(name="clue_source", url=url, simulated=True))


def test_a_returned_clue_gets_a_receipt(source: str) -> None:
    receipt = client(source).return_clue(CLUE, key="k1")

    assert receipt.number == "TH000001"


def test_the_same_key_returns_a_clue_once(source: str) -> None:
    first = client(source).return_clue(CLUE, key="k1")
    again = client(source).return_clue(CLUE, key="k1")

    with urllib.request.urlopen(source + "/clues/returns", timeout=5) as response:
        assert len(json.load(response)["returned"]) == 1
    assert first == again


def test_a_refusal_is_a_business_error_in_the_sources_words(source: str) -> None:
    behave(source, "refuse")

    with pytest.raises(BusinessError) as refused:
        client(source).return_clue(CLUE, key="k1")

    assert refused.value.code == "source_refused"
    assert "已经结案" in refused.value.message


def test_a_source_that_is_away_is_tried_again(source: str) -> None:
    behave(source, "down")

    with pytest.raises(TryAgain):
        client(source).return_clue(CLUE, key="k1")


def test_an_address_where_nobody_answers_is_tried_again() -> None:
    with pytest.raises(TryAgain):
        client("http://127.0.0.1:9").return_clue(CLUE, key="k1")


def test_a_missing_address_is_tried_again() -> None:
    with pytest.raises(TryAgain, match="还没有配置"):
        client("").return_clue(CLUE, key="k1")


def test_a_pushed_clue_survives_writing_and_reading() -> None:
    clue = sample_clue(number=1, unit_code="U1", received_on=date(2026, 11, 20))

    assert ClueNotice.read(clue.write()) == clue


def test_pushing_a_clue_twice_has_one_key() -> None:
    clue = sample_clue(number=7, unit_code="U1", received_on=date(2026, 11, 20))

    assert clue.key == "clue:complaint:TS202611200007"


def test_a_notice_that_breaks_the_contract_names_every_field() -> None:
    with pytest.raises(MessageError) as bad:
        ClueNotice.read({"source": "rumour", "received_on": "昨天", "title": "x" * 101, "colour": "red"})

    assert set(bad.value.problems) == {"source", "received_on", "title", "colour", "external_id", "unit_code", "content"}
