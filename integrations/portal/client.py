"""The client of the portal."""
from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any, Protocol

from engine.sdk import BusinessError, ConnectorConfig, TryAgain, connector
from integrations.portal.messages import Announcement, Published

TIMEOUT_SECONDS = 10


class Portal(Protocol):
    """Shows announcements to the public."""

    def publish(self, announcement: Announcement, *, key: str) -> Published:
        """The same ``key`` publishes once. Raises BusinessError("portal_refused") when the portal says no, TryAgain when it does not answer."""
        ...


class HttpPortal:
    """Speaks the contract, version 1."""

    def __init__(self, config: ConnectorConfig) -> None:
        self._url = config.url.rstrip("/")
        self._token = str(config.options.get("token", ""))

    def publish(self, announcement: Announcement, *, key: str) -> Published:
        if not self._url:
            raise TryAgain("门户网站的地址还没有配置")
        request = urllib.request.Request(  # noqa: S310 - the address comes from the deployment's own configuration
            f"{self._url}/announcements", data=json.dumps(announcement.write(), ensure_ascii=False).encode(), method="POST",
            headers={"Content-Type": "application/json", "Idempotency-Key": key, "Authorization": f"Bearer {self._token}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310 - see above
                return Published.read(_object(response.read(65_536)))
        except urllib.error.HTTPError as error:
            with error:
                raise _refusal(error) from None
        except (urllib.error.URLError, TimeoutError, ConnectionError, ValueError) as error:
            raise TryAgain(f"门户网站没有应答：{error}") from None


def _refusal(error: urllib.error.HTTPError) -> Exception:
    if error.code in (400, 409, 422):
        return BusinessError("portal_refused", str(_object(error.read(65_536)).get("message") or f"门户网站答复 {error.code}"))
    return TryAgain(f"门户网站答复 {error.code}")


def _object(raw: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(raw)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


@connector(title="市局门户网站")
def make_client(config: ConnectorConfig) -> Portal:
    """The client of the configured portal, real or simulated."""
    return HttpPortal(config)
