"""The portal over sockets: published once, refused without a text, away for maintenance."""
from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from engine.sdk import BusinessError, ConnectorConfig, TryAgain
from integrations.portal.client import HttpPortal
from integrations.portal.messages import Announcement
from integrations.portal.simulator import Board, make_server


@pytest.fixture
def board() -> Board:
    return Board()


@pytest.fixture
def server(board: Board) -> Iterator[Any]:
    made = make_server(board=board)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def portal(server: Any) -> HttpPortal:
    return HttpPortal(ConnectorConfig(name="portal", url=f"http://127.0.0.1:{server.server_port}", simulated=True))


def paper(title: str = "送达公告", text: str = "请到本局领取。") -> Announcement:
    return Announcement(title=title, number="", text=text, unit="云浦区局", case_number="一号")


def test_one_key_publishes_once(server: Any, board: Board) -> None:
    first, again = portal(server).publish(paper(), key="a"), portal(server).publish(paper(), key="a")
    assert first == again
    assert len(board.shown) == 1
    assert portal(server).publish(paper(), key="b").url != first.url


def test_what_has_no_text_is_refused_and_maintenance_asks_to_try_again(server: Any) -> None:
    with pytest.raises(BusinessError, match="没有内容"):
        portal(server).publish(paper(text=" "), key="c")
    with pytest.raises(TryAgain):
        portal(server).publish(paper(title="维护"), key="d")
    with pytest.raises(TryAgain):
        HttpPortal(ConnectorConfig(name="portal", url="", simulated=False)).publish(paper(), key="e")
