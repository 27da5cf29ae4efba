"""The weather board's client against its simulator."""
from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from engine.sdk import BusinessError, ConnectorConfig, TryAgain
from integrations.weather_board.client import WeatherBoard, make_client
from integrations.weather_board.simulator import make_server


@pytest.fixture
def board() -> Iterator[WeatherBoard]:
    server = make_server()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield make_client(ConnectorConfig(name="weather_board", url=f"http://127.0.0.1:{server.server_port}", simulated=True))
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(("place", "chance"), [("公园", 80), ("沙漠", 5)])
def test_a_known_place_has_a_chance_of_rain(board: WeatherBoard, place: str, chance: int) -> None:
    assert board.forecast(place).chance == chance


def test_an_unknown_place_is_a_business_error(board: WeatherBoard) -> None:
    with pytest.raises(BusinessError) as unknown:
        board.forecast("月球")

    assert unknown.value.code == "no_forecast"


def test_a_broken_board_is_asked_again(board: WeatherBoard) -> None:
    with pytest.raises(TryAgain):
        board.forecast("风暴眼")
