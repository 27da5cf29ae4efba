"""A clue source as a server of its own: takes clues back, refuses, is slow or away, and pushes sample clues.

    python -m integrations.clue_source.simulator --port 8091

POST /clues/returns        the contract; the header Idempotency-Key makes a repeat answer the same receipt
GET  /clues/returns        what was returned so far
PUT  /simulator/behaviour  {"mode": "ok" | "refuse" | "down" | "slow"}: how the next calls go
GET  /simulator/clue       a sample of what this source would push
"""
from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from datetime import date
from http.server import ThreadingHTTPServer
from typing import Any

from engine.sdk.simulating import Answer, Call, behaviour, make_json_server, run
from integrations.clue_source.messages import ClueNotice

MODES = ("ok", "refuse", "down", "slow")
SLOW_SECONDS = 12


class SimulatedSource:
    """The state of the simulated system; safe for several threads."""

    def __init__(self) -> None:
        self.mode = "ok"
        self.returned: list[dict[str, Any]] = []
        self._receipts: dict[str, str] = {}
        self._lock = threading.Lock()

    def take_back(self, key: str, body: Mapping[str, Any]) -> Answer:
        """Status and answer of POST /clues/returns."""
        if self.mode == "down":
            return 503, {"message": "系统维护中"}
        if self.mode == "slow":
            time.sleep(SLOW_SECONDS)
        if self.mode == "refuse":
            return 409, {"message": f"线索 {body.get('external_id', '')} 已经结案，不接收退回"}
        missing = [name for name in ("external_id", "reason", "returned_on") if not body.get(name)]
        if missing or not key:
            return 422, {"message": f"缺少 {'、'.join(missing) or 'Idempotency-Key'}"}
        with self._lock:
            if key not in self._receipts:
                self._receipts[key] = f"TH{len(self._receipts) + 1:06}"
                self.returned.append({**body, "receipt": self._receipts[key]})
            return 200, {"receipt": self._receipts[key]}


def sample_clue(*, number: int, unit_code: str, received_on: date) -> ClueNotice:
    """An invented complaint."""
    return ClueNotice(
        source="complaint", source_system="投诉举报（模拟）", external_id=f"TS{received_on:%Y%m%d}{number:04}", unit_code=unit_code,
        received_on=received_on, title="反映一家面包店销售超过保质期的蛋糕",
        content="反映人称在店内购得蛋糕一盒，包装上标注的保质期已过三天，附有小票和照片。",
        address_text="云汀路128号", party_name="麦浪面包房", reporter_name="白晓棠",
    )


def make_server(port: int = 0) -> ThreadingHTTPServer:
    """A server on loopback; port 0 takes a free one. ``serve_forever`` runs it."""
    source = SimulatedSource()

    def sample(call: Call) -> Answer:
        return 200, sample_clue(number=len(source.returned) + 1, unit_code="", received_on=date(2026, 11, 20)).write()

    return make_json_server({
        "POST /clues/returns": lambda call: source.take_back(call.key, call.body), "GET /clues/returns": lambda call: (200, {"returned": source.returned}),
        "GET /simulator/clue": sample, "PUT /simulator/behaviour": behaviour(source, MODES),
    }, port=port)


if __name__ == "__main__":
    run(make_server, title="案源系统模拟器", port=8091)
