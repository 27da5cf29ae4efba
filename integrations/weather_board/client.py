"""What we ask of the weather board, and the client that asks it over HTTP."""
from __future__ import annotations

from typing import Protocol

from engine.sdk import BusinessError, ConnectorConfig, connector
from engine.sdk.json_http import JsonHttp
from integrations.weather_board.messages import Forecast


class WeatherBoard(Protocol):
    """Tells whether it will rain."""

    def forecast(self, place: str) -> Forecast:
        """Raises BusinessError("no_forecast") for an unknown place, TryAgain when the board does not answer."""
        ...


class HttpWeatherBoard:
    """Speaks to the board's one endpoint."""

    def __init__(self, config: ConnectorConfig) -> None:
        self._http = JsonHttp(config, title="气象信息牌", refused="no_forecast", decided=(404,))

    def forecast(self, place: str) -> Forecast:
        try:
            return self._http.get("/forecast", Forecast.read, place=place)
        except BusinessError:
            raise BusinessError("no_forecast", f"没有{place}的预报") from None


@connector(title="气象信息牌（示例）")
def make_client(config: ConnectorConfig) -> WeatherBoard:
    """The client of the configured board."""
    return HttpWeatherBoard(config)
