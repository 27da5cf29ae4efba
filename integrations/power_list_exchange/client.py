"""The client of the exchange."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from engine.sdk import ConnectorConfig, TryAgain, connector
from engine.sdk.json_http import JsonHttp
from integrations.power_list_exchange.messages import PowerChange, read_receipts


class PowerExchange(Protocol):
    """Hands a change of the list of powers to the systems that work with the item."""

    def publish(self, change: PowerChange, *, systems: Sequence[str], key: str) -> Mapping[str, str]:
        """{system: its receipt}; the same ``key`` publishes once. Raises TryAgain while one of ``systems`` has not taken it."""
        ...


class HttpPowerExchange:
    """Speaks the contract, version 1."""

    def __init__(self, config: ConnectorConfig) -> None:
        self._http = JsonHttp(config, title="权责清单联动")

    def publish(self, change: PowerChange, *, systems: Sequence[str], key: str) -> Mapping[str, str]:
        if not systems:
            return {}
        found = self._http.post("/changes", {**change.write(), "systems": list(systems)}, read_receipts, key=key)
        if missing := [one for one in systems if one not in found]:
            raise TryAgain(f"权责清单联动：{'、'.join(missing)} 还没有接收")
        return {one: found[one] for one in systems}


@connector(title="权责清单联动")
def make_client(config: ConnectorConfig) -> PowerExchange:
    """The client of the configured exchange, real or simulated: both speak the same contract."""
    return HttpPowerExchange(config)
