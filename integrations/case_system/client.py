"""What we ask of the case system, and the client that asks it over HTTP."""
from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any, Protocol

from engine.sdk import BusinessError, ConnectorConfig, TryAgain, connector
from integrations.case_system.messages import LinkedCase, MessageError, TicketLink

TIMEOUT_SECONDS = 10
LARGEST_ANSWER = 65_536


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
        self._url = config.url.rstrip("/")
        self._token = str(config.options.get("token", ""))
        self._timeout = float(config.options.get("timeout_seconds", TIMEOUT_SECONDS))

    def link_ticket(self, link: TicketLink, *, key: str) -> LinkedCase:
        answer = self._post("/links", link.write(), key)
        try:
            linked = LinkedCase.read(answer)
        except MessageError as problem:
            raise TryAgain(str(problem)) from None
        if linked.case_number != link.case_number:
            raise TryAgain(f"网上办案系统答复的是另一个案件 {linked.case_number}")
        return linked

    def _post(self, path: str, body: dict[str, str], key: str) -> dict[str, Any]:
        if not self._url:
            raise TryAgain("网上办案系统的地址还没有配置")
        request = urllib.request.Request(  # noqa: S310 - the address comes from the deployment's own configuration
            self._url + path, data=json.dumps(body, ensure_ascii=False).encode(), method="POST",
            headers={"Content-Type": "application/json", "Idempotency-Key": key, "Authorization": f"Bearer {self._token}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=self._timeout) as response:  # noqa: S310 - see above
                return _object(response.read(LARGEST_ANSWER))
        except urllib.error.HTTPError as error:
            with error:
                raise _refusal(error) from None
        except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
            raise TryAgain(f"网上办案系统没有应答：{error}") from None


def _refusal(error: urllib.error.HTTPError) -> Exception:
    """404, 409 and 422 are their decision; everything else is worth another try."""
    if error.code in (404, 409, 422):
        message = _object(error.read(LARGEST_ANSWER)).get("message") or f"网上办案系统答复 {error.code}"
        return BusinessError("case_not_linked", str(message))
    return TryAgain(f"网上办案系统答复 {error.code}")


def _object(raw: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(raw)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


@connector(title="网上办案系统")
def make_client(config: ConnectorConfig) -> CaseSystem:
    """The client of the configured case system, real or simulated: both speak the same contract."""
    return HttpCaseSystem(config)
