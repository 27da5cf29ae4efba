"""What we ask of the city's officer platform, and the client that asks it over HTTP."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from engine.sdk import ConnectorConfig, connector
from engine.sdk.json_http import JsonHttp
from integrations.city_officer_platform.messages import Claim, Registered, read, write

BATCH = 100


class OfficerPlatform(Protocol):
    """The platform in which the city registers enforcement certificates."""

    def registered(self, claims: Sequence[Claim]) -> Mapping[str, Registered]:
        """What the platform has under the numbers of ``claims``; unknown ones are missing. Raises TryAgain when it does not answer."""
        ...


class HttpOfficerPlatform:
    """Speaks the contract, version 1: a hundred at a time."""

    def __init__(self, config: ConnectorConfig) -> None:
        self._http = JsonHttp(config, title="市局执法人员平台")

    def registered(self, claims: Sequence[Claim]) -> Mapping[str, Registered]:
        found: dict[str, Registered] = {}
        for start in range(0, len(claims), BATCH):
            found.update(self._http.post("/officers/verify", write(claims[start:start + BATCH]), read))
        return found


@connector(title="市局执法人员平台")
def make_client(config: ConnectorConfig) -> OfficerPlatform:
    """The client of the configured platform, real or simulated: both speak the same contract."""
    return HttpOfficerPlatform(config)
