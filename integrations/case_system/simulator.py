"""The case system as a server of its own: links tickets to cases, refuses, is slow, away or answers nonsense.

    python -m integrations.case_system.simulator --port 8092

POST /links                the contract; the header Idempotency-Key makes a repeat answer the same receipt
GET  /links                what was linked so far
PUT  /simulator/behaviour  {"mode": "ok" | "down" | "slow" | "nonsense"}: how the next calls go

Every number of the form 沪城管静罚〔2026〕000123号 is a case here, except: one whose serial number is all 0 is not known, one
that ends with 9 has been withdrawn; a case that is linked to one ticket is not linked to another.
"""
from __future__ import annotations

import argparse
import json
import re
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODES = ("ok", "down", "slow", "nonsense")
SLOW_SECONDS = 12
LARGEST = 65_536
NUMBER = re.compile(r"沪城管\w{0,4}罚〔(?P<year>\d{4})〕(?P<serial>\d{3,8})号")


class SimulatedCases:
    """The state of the simulated system; safe for several threads."""

    def __init__(self, slow_seconds: float = SLOW_SECONDS) -> None:
        self.mode = "ok"
        self.slow_seconds = slow_seconds
        self.links: dict[str, dict[str, Any]] = {}
        self._receipts: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()

    def link(self, key: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
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

    def _link(self, key: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
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


def handler_for(cases: SimulatedCases) -> type[BaseHTTPRequestHandler]:
    """The request handler class of one simulated system."""

    class Handler(BaseHTTPRequestHandler):
        server_version = "CaseSystemSimulator/1"

        def do_POST(self) -> None:
            body = self._body()
            if self.path != "/links":
                self._answer(404, {"message": "没有这个接口"})
            elif body is None:
                self._answer(422, {"message": "请求不是 JSON 对象"})
            else:
                self._answer(*cases.link(self.headers.get("Idempotency-Key", ""), body))

        def do_PUT(self) -> None:
            mode = (self._body() or {}).get("mode")
            if self.path != "/simulator/behaviour" or mode not in MODES:
                self._answer(422, {"message": f"mode 应是 {'、'.join(MODES)} 之一"})
                return
            cases.mode = str(mode)
            self._answer(200, {"mode": cases.mode})

        def do_GET(self) -> None:
            if self.path == "/links":
                self._answer(200, {"links": list(cases.links.values())})
            else:
                self._answer(404, {"message": "没有这个接口"})

        def log_message(self, format: str, *args: Any) -> None:
            """Keep quiet: the body names people."""

        def _body(self) -> dict[str, Any] | None:
            try:
                raw = json.loads(self.rfile.read(min(int(self.headers.get("Content-Length", "0")), LARGEST)))
            except ValueError:
                return None
            return raw if isinstance(raw, dict) else None

        def _answer(self, status: int, body: dict[str, Any]) -> None:
            data = json.dumps(body, ensure_ascii=False).encode()
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json; charset=utf-8")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
            except ConnectionError:
                return  # whoever asked did not wait

    return Handler


def make_server(port: int = 0, *, slow_seconds: float = SLOW_SECONDS) -> ThreadingHTTPServer:
    """A server on loopback; port 0 takes a free one. ``serve_forever`` runs it."""
    return ThreadingHTTPServer(("127.0.0.1", port), handler_for(SimulatedCases(slow_seconds)))


def main() -> None:
    parser = argparse.ArgumentParser(description="网上办案系统模拟器")
    parser.add_argument("--port", type=int, default=8092)
    server = make_server(parser.parse_args().port)
    sys.stdout.write(f"网上办案系统模拟器在 http://127.0.0.1:{server.server_port}\n")
    sys.stdout.flush()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()
