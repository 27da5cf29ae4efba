"""What we ask of the weather board, and the client that asks it over HTTP."""
from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Protocol

from engine.sdk import BusinessError, ConnectorConfig, TryAgain, connector
from integrations.weather_board.messages import Forecast


class WeatherBoard(Protocol):
    """Tells whether it will rain."""

    def forecast(self, place: str) -> Forecast:
        """Raises BusinessError("no_forecast") for an unknown place, TryAgain when the board does not answer."""
        ...


class HttpWeatherBoard:
    """Speaks to the board's one endpoint."""

    def __init__(self, config: ConnectorConfig) -> None:
        self._url = config.url.rstrip("/")

    def forecast(self, place: str) -> Forecast:
        if not self._url:
            raise TryAgain("气象信息牌的地址还没有配置")
        address = f"{self._url}/forecast?{urllib.parse.urlencode({'place': place})}"
        try:
            with urllib.request.urlopen(address, timeout=5) as response:  # noqa: S310 - the address comes from the deployment's own configuration
                return Forecast.read(json.loads(response.read(4096)))
        except urllib.error.HTTPError as error:
            if error.code == 404:
                raise BusinessError("no_forecast", f"没有{place}的预报") from None
            raise TryAgain(f"气象信息牌答复 {error.code}") from None
        except (urllib.error.URLError, TimeoutError, ConnectionError, ValueError) as error:
            raise TryAgain(f"气象信息牌没有应答：{error}") from None


@connector(title="气象信息牌（示例）")
def make_client(config: ConnectorConfig) -> WeatherBoard:
    """The client of the configured board."""
    return HttpWeatherBoard(config)
