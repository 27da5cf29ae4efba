"""The client of the portal."""
from __future__ import annotations

from typing import Protocol

from engine.sdk import ConnectorConfig, connector
from engine.sdk.json_http import JsonHttp
from integrations.portal.messages import Announcement, Published


class Portal(Protocol):
    """Shows announcements to the public."""

    def publish(self, announcement: Announcement, *, key: str) -> Published:
        """The same ``key`` publishes once. Raises BusinessError("portal_refused") when the portal says no, TryAgain when it does not answer."""
        ...


class HttpPortal:
    """Speaks the contract, version 1."""

    def __init__(self, config: ConnectorConfig) -> None:
        self._http = JsonHttp(config, title="门户网站", refused="portal_refused", decided=(400, 409, 422))

    def publish(self, announcement: Announcement, *, key: str) -> Published:
        return self._http.post("/announcements", announcement.write(), Published.read, key=key)


@connector(title="市局门户网站")
def make_client(config: ConnectorConfig) -> Portal:
    """The client of the configured portal, real or simulated."""
    return HttpPortal(config)
