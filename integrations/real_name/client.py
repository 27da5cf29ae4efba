"""The client of the real-name check."""
from __future__ import annotations

from typing import Protocol

from engine.sdk import ConnectorConfig, connector
from engine.sdk.json_http import JsonHttp
from integrations.real_name.messages import Challenge, Person, Verdict


class RealName(Protocol):
    """Checks people against the authorities' own data."""

    title: str

    def begin(self, *, name: str, identifier_kind: str, identifier: str, phone: str) -> Challenge:
        """Send a code to the person's telephone. Raises TryAgain when the check does not answer."""
        ...

    def confirm(self, number: str, code: str) -> Verdict:
        """The verdict on the person of challenge ``number``. Raises TryAgain."""
        ...

    def represents(self, *, name: str, identifier: str, organisation: str, credit_code: str) -> Verdict:
        """Whether the person is the 法定代表人 of the enterprise. Raises TryAgain."""
        ...


class HttpRealName:
    """Speaks the contract, version 1."""

    def __init__(self, config: ConnectorConfig) -> None:
        self._http = JsonHttp(config, title="实名核验")
        self.title = "实名核验（模拟）" if config.simulated else "实名核验"

    def begin(self, *, name: str, identifier_kind: str, identifier: str, phone: str) -> Challenge:
        return self._http.post("/people", Person(name=name, identifier_kind=identifier_kind, identifier=identifier, phone=phone).write(), Challenge.read)

    def confirm(self, number: str, code: str) -> Verdict:
        return self._http.post("/people/confirm", {"number": number, "code": code}, Verdict.read)

    def represents(self, *, name: str, identifier: str, organisation: str, credit_code: str) -> Verdict:
        return self._http.post("/enterprises", {"name": name, "identifier": identifier, "organisation": organisation, "credit_code": credit_code}, Verdict.read)


@connector(title="实名核验")
def make_client(config: ConnectorConfig) -> RealName:
    """The client of the configured check, real or simulated."""
    return HttpRealName(config)
