"""What we ask of the system of premises, and the client that asks it over HTTP."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from engine.sdk import ConnectorConfig, connector
from engine.sdk.json_http import JsonHttp
from integrations.premises_system.messages import Occupant, read_occupants


class Premises(Protocol):
    """The system in which offices and who sits there are kept."""

    def occupants(self, *, agency: str) -> Sequence[Occupant]:
        """Everybody of a bureau. Raises TryAgain when it does not answer."""
        ...


class HttpPremises:
    """Speaks the contract, version 1."""

    def __init__(self, config: ConnectorConfig) -> None:
        self._http = JsonHttp(config, title="用房管理系统")

    def occupants(self, *, agency: str) -> Sequence[Occupant]:
        return self._http.get("/occupants", read_occupants, agency=agency)


@connector(title="用房管理系统")
def make_client(config: ConnectorConfig) -> Premises:
    """The client of the configured system, real or simulated: both speak the same contract."""
    return HttpPremises(config)
