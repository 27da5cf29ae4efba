"""The city's platforms on sockets, and the operator who has them asked again."""
from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from importlib import import_module

import pytest
from sqlalchemy import select

from engine.runtime.incidents import retry_incident
from engine.storage.tables.runtime import incident
from tests.packs.walk import Walker


class Outside:
    """Simulators by the name of their integration."""

    def __init__(self, patch: pytest.MonkeyPatch, stack: ExitStack) -> None:
        self._patch, self._stack = patch, stack
        self.urls: dict[str, str] = {}

    def start(self, name: str) -> None:
        server = import_module(f"integrations.{name}.simulator").make_server()
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self._stack.callback(server.server_close)
        self._stack.callback(server.shutdown)
        self.urls[name] = f"http://127.0.0.1:{server.server_port}"
        self._patch.setenv(f"CONNECTOR_{name.upper()}_URL", self.urls[name])

    def mode(self, name: str, mode: str) -> None:
        body = json.dumps({"mode": mode}).encode()
        urllib.request.urlopen(urllib.request.Request(f"{self.urls[name]}/simulator/behaviour", data=body, method="PUT"), timeout=5).close()

    @staticmethod
    def again(walk: Walker) -> None:
        """An operator has what failed tried once more."""
        operator = replace(walk.actor("staff"), rights=frozenset({"operator", "see_all_cases"}))
        with walk.app.db.connect() as connection:
            failed = list(connection.scalars(select(incident.c.id).where(incident.c.case_id == walk.case_id, incident.c.status == "open")))
        for id in failed:
            retry_incident(walk.app, actor=operator, incident_id=id, reason="对方恢复了", key=f"again-{id}", at=walk.at)
        walk.run_jobs()


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> Iterator[Outside]:
    with ExitStack() as stack:
        yield Outside(monkeypatch, stack)
