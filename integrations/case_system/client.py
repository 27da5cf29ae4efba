"""What we ask of the case system, and the client that asks it over HTTP."""
from __future__ import annotations

from typing import Protocol

from engine.sdk import ConnectorConfig, TryAgain, connector
from engine.sdk.json_http import JsonHttp
from integrations.case_system.messages import LinkedCase, TicketLink


class CaseSystem(Protocol):
    """The system in which penalty cases are handled."""

    def link_ticket(self, link: TicketLink, *, key: str) -> LinkedCase:
        """Link our ticket to their case; the same ``key`` links once and gives the same receipt.

        Raises BusinessError("case_not_linked") with their reason when they say no, TryAgain when they do not answer.
        """
        ...


class HttpCaseSystem:
    """Speaks the contract, version 1."""

    def __init__(self, config: ConnectorConfig) -> None:
        self._http = JsonHttp(config, title="网上办案系统", refused="case_not_linked")

    def link_ticket(self, link: TicketLink, *, key: str) -> LinkedCase:
        linked = self._http.post("/links", link.write(), LinkedCase.read, key=key)
        if linked.case_number != link.case_number:
            raise TryAgain(f"网上办案系统答复的是另一个案件 {linked.case_number}")
        return linked


@connector(title="网上办案系统")
def make_client(config: ConnectorConfig) -> CaseSystem:
    """The client of the configured case system, real or simulated: both speak the same contract."""
    return HttpCaseSystem(config)
