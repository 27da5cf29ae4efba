"""The client of the real-name check."""
from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any, Protocol

from engine.sdk import ConnectorConfig, TryAgain, connector
from integrations.real_name.messages import Challenge, Person, Verdict

TIMEOUT_SECONDS = 10


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
        self._url = config.url.rstrip("/")
        self._token = str(config.options.get("token", ""))
        self.title = "实名核验（模拟）" if config.simulated else "实名核验"

    def begin(self, *, name: str, identifier_kind: str, identifier: str, phone: str) -> Challenge:
        return Challenge.read(self._ask("/people", Person(name=name, identifier_kind=identifier_kind, identifier=identifier, phone=phone).write()))

    def confirm(self, number: str, code: str) -> Verdict:
        return Verdict.read(self._ask("/people/confirm", {"number": number, "code": code}))

    def represents(self, *, name: str, identifier: str, organisation: str, credit_code: str) -> Verdict:
        return Verdict.read(self._ask("/enterprises", {"name": name, "identifier": identifier, "organisation": organisation, "credit_code": credit_code}))

    def _ask(self, path: str, body: dict[str, str]) -> dict[str, Any]:
        if not self._url:
            raise TryAgain("实名核验的地址还没有配置")
        request = urllib.request.Request(  # noqa: S310 - the address comes from the deployment's own configuration
            self._url + path, data=json.dumps(body, ensure_ascii=False).encode(), method="POST",
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {self._token}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310 - see above
                answer = json.loads(response.read(65_536))
        except (urllib.error.URLError, TimeoutError, ConnectionError, ValueError) as error:
            raise TryAgain(f"实名核验没有应答：{error}") from None
        if not isinstance(answer, dict):
            raise TryAgain("实名核验的答复看不懂")
        return answer


@connector(title="实名核验")
def make_client(config: ConnectorConfig) -> RealName:
    """The client of the configured check, real or simulated."""
    return HttpRealName(config)
