"""Two districts with squads, and the case system on a socket."""
from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from integrations.case_system.simulator import make_server
from tests.packs.walk import Walker


@dataclass
class CaseSystem:
    """The simulator as its own operator sees it."""

    url: str

    def links(self) -> list[dict[str, Any]]:
        with urllib.request.urlopen(self.url + "/links", timeout=5) as response:
            found: list[dict[str, Any]] = json.load(response)["links"]
        return found

    def behave(self, mode: str) -> None:
        body = json.dumps({"mode": mode}).encode()
        urllib.request.urlopen(urllib.request.Request(self.url + "/simulator/behaviour", data=body, method="PUT"), timeout=5).close()


@pytest.fixture
def walk(squads: Walker) -> Walker:
    return squads


@pytest.fixture
def case_system(monkeypatch: pytest.MonkeyPatch) -> Iterator[CaseSystem]:
    server = make_server(slow_seconds=0.6)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("CONNECTOR_CASE_SYSTEM_URL", url)
    yield CaseSystem(url)
    server.shutdown()
    server.server_close()
