"""The case system as a server of its own: links tickets to cases, refuses, is slow, away or answers nonsense.

    python -m integrations.case_system.simulator --port 8094

POST /links                the contract; the header Idempotency-Key makes a repeat answer the same receipt
GET  /links                what was linked so far
PUT  /simulator/behaviour  {"mode": "ok" | "down" | "slow" | "nonsense"}: how the next calls go

Every number of the form 沪城管静罚〔2026〕000123号 is a case here, except: one whose serial number is all 0 is not known, one
that ends with 9 has been withdrawn; a case that is linked to one ticket is not linked to another.
"""
from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping
from http.server import ThreadingHTTPServer
from typing import Any

from engine.sdk.simulating import Answer, behaviour, make_json_server, run

MODES = ("ok", "down", "slow", "nonsense")
SLOW_SECONDS = 12
NUMBER = re.compile(r"沪城管\w{0,4}罚〔(?P<year>\d{4})〕(?P<serial>\d{3,8})号")


class SimulatedCases:
    """The state of the simulated system; safe for several threads."""

    def __init__(self, slow_seconds: float = SLOW_SECONDS) -> None:
        self.mode = "ok"
        self.slow_seconds = slow_seconds
        self.links: dict[str, dict[str, Any]] = {}
        self._receipts: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()

    def link(self, key: str, body: Mapping[str, Any]) -> Answer:
        """Status and answer of POST /links."""
        if self.mode == "down":
            return 503, {"message": "系统维护中"}
        if self.mode == "slow":
            time.sleep(self.slow_seconds)
        if self.mode == "nonsense":
            return 200, {"ok": True}
        missing = [name for name in ("case_number", "ticket_number", "officer", "linked_on") if not body.get(name)]
        if missing or not key:
            return 422, {"message": f"缺少 {'、'.join(missing) or 'Idempotency-Key'}"}
        with self._lock:
            return self._link(key, body)

    def _link(self, key: str, body: Mapping[str, Any]) -> Answer:
        if key in self._receipts:
            return 200, self._receipts[key]
        number, ticket = str(body["case_number"]), str(body["ticket_number"])
        found = NUMBER.fullmatch(number)
        if found is None or int(found["serial"]) == 0:
            return 404, {"message": f"网上办案系统里没有案件 {number}，请核对案件编号"}
        if number.endswith("9号"):
            return 409, {"message": f"案件 {number} 已经撤销，不能关联"}
        other = self.links.get(number)
        if other is not None and other["ticket_number"] != ticket:
            return 409, {"message": f"案件 {number} 已经关联工单 {other['ticket_number']}"}
        answer = {"receipt": f"GL{len(self._receipts) + 1:06}", "case_number": number, "title": f"擅自倾倒建筑垃圾案（{found['serial']}）", "state": "已立案",
                  "filed_on": f"{found['year']}-11-16"}
        self._receipts[key], self.links[number] = answer, {**body, **answer, "ticket_number": ticket}
        return 200, answer


def make_server(port: int = 0, *, slow_seconds: float = SLOW_SECONDS) -> ThreadingHTTPServer:
    """A server on loopback; port 0 takes a free one. ``serve_forever`` runs it."""
    cases = SimulatedCases(slow_seconds)
    return make_json_server({
        "POST /links": lambda call: cases.link(call.key, call.body), "GET /links": lambda call: (200, {"links": list(cases.links.values())}),
        "PUT /simulator/behaviour": behaviour(cases, MODES),
    }, port=port)


if __name__ == "__main__":
    run(make_server, title="网上办案系统模拟器", port=8094)
