"""What we ask of a clue source, and the client that asks it over HTTP."""
from __future__ import annotations

from typing import Protocol

from engine.sdk import ConnectorConfig, connector
from engine.sdk.json_http import JsonHttp
from integrations.clue_source.messages import Receipt, ReturnedClue


class ClueSource(Protocol):
    """A system that pushes clues to us."""

    def return_clue(self, clue: ReturnedClue, *, key: str) -> Receipt:
        """Give ``clue`` back; the same ``key`` returns it once and gives the same receipt.

        Raises BusinessError("source_refused") when the source says no, TryAgain when it does not answer.
        """
        ...


class HttpClueSource:
    """Speaks the standard contract, version 1."""

    def __init__(self, config: ConnectorConfig) -> None:
        self._http = JsonHttp(config, title="案源系统", refused="source_refused")

    def return_clue(self, clue: ReturnedClue, *, key: str) -> Receipt:
        return self._http.post("/clues/returns", clue.write(), Receipt.read, key=key)


@connector(title="案源系统")
def make_client(config: ConnectorConfig) -> ClueSource:
    """The client of the configured clue source, real or simulated: both speak the same contract."""
    return HttpClueSource(config)
