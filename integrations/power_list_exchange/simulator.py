"""The exchange as a server of its own: hands changes to business systems, one of which may be away.

    python -m integrations.power_list_exchange.simulator --port 8097

POST /changes              the contract; the header Idempotency-Key makes a repeat answer the same receipts
GET  /changes              what was handed over so far
PUT  /simulator/behaviour  {"mode": "ok" | "down" | "partly" | "nonsense"}: how the next calls go; partly: the last system has not taken it
"""
from __future__ import annotations

import threading
from collections.abc import Mapping
from http.server import ThreadingHTTPServer
from typing import Any

from engine.sdk.simulating import Answer, behaviour, make_json_server, run

MODES = ("ok", "down", "partly", "nonsense")


class SimulatedExchange:
    """The state of the simulated exchange; safe for several threads."""

    def __init__(self) -> None:
        self.mode = "ok"
        self.changes: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()

    def take(self, key: str, body: Mapping[str, Any]) -> Answer:
        """Status and answer of POST /changes."""
        if self.mode == "down":
            return 503, {"message": "系统维护中"}
        if self.mode == "nonsense":
            return 200, {"ok": True}
        systems = body.get("systems")
        if not key or not isinstance(systems, list) or not body.get("code"):
            return 422, {"message": "缺少 systems、code 或 Idempotency-Key"}
        with self._lock:
            kept = self.changes.setdefault(key, {**body, "receipts": {}})
            for system in systems[:-1] if self.mode == "partly" else systems:
                kept["receipts"].setdefault(str(system), f"QZ{len(self.changes):04}-{len(kept['receipts']) + 1}")
            return 200, {"receipts": dict(kept["receipts"])}


def make_server(port: int = 0) -> ThreadingHTTPServer:
    """A server on loopback; port 0 takes a free one. ``serve_forever`` runs it."""
    exchange = SimulatedExchange()
    return make_json_server({
        "POST /changes": lambda call: exchange.take(call.key, call.body), "GET /changes": lambda call: (200, {"changes": list(exchange.changes.values())}),
        "PUT /simulator/behaviour": behaviour(exchange, MODES),
    }, port=port)


if __name__ == "__main__":
    run(make_server, title="权责清单联动模拟器", port=8097)
