"""A clue source as a server of its own: takes clues back, refuses, is slow or away, and pushes sample clues.

    python -m integrations.clue_source.simulator --port 8091

POST /clues/returns        the contract; the header Idempotency-Key makes a repeat answer the same receipt
GET  /clues/returns        what was returned so far
PUT  /simulator/behaviour  {"mode": "ok" | "refuse" | "down" | "slow"}: how the next calls go
GET  /simulator/clue       a sample of what this source would push
"""
from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from integrations.clue_source.messages import ClueNotice

MODES = ("ok", "refuse", "down", "slow")
SLOW_SECONDS = 12
LARGEST = 65_536


class SimulatedSource:
    """The state of the simulated system; safe for several threads."""

    def __init__(self) -> None:
        self.mode = "ok"
        self.returned: list[dict[str, Any]] = []
        self._receipts: dict[str, str] = {}
        self._lock = threading.Lock()

    def take_back(self, key: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
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


def handler_for(source: SimulatedSource) -> type[BaseHTTPRequestHandler]:
    """The request handler class of one simulated source."""

    class Handler(BaseHTTPRequestHandler):
        server_version = "ClueSourceSimulator/1"

        def do_POST(self) -> None:
            body = self._body()
            if self.path != "/clues/returns":
                self._answer(404, {"message": "没有这个接口"})
            elif body is None:
                self._answer(422, {"message": "请求不是 JSON 对象"})
            else:
                self._answer(*source.take_back(self.headers.get("Idempotency-Key", ""), body))

        def do_PUT(self) -> None:
            mode = (self._body() or {}).get("mode")
            if self.path != "/simulator/behaviour" or mode not in MODES:
                self._answer(422, {"message": f"mode 应是 {'、'.join(MODES)} 之一"})
                return
            source.mode = str(mode)
            self._answer(200, {"mode": source.mode})

        def do_GET(self) -> None:
            if self.path == "/clues/returns":
                self._answer(200, {"returned": source.returned})
            elif self.path == "/simulator/clue":
                clue = sample_clue(number=len(source.returned) + 1, unit_code="", received_on=date(2026, 11, 20))
                self._answer(200, clue.write())
            else:
                self._answer(404, {"message": "没有这个接口"})

        def log_message(self, format: str, *args: Any) -> None:
            """Keep quiet: the body may name people."""

        def _body(self) -> dict[str, Any] | None:
            try:
                raw = json.loads(self.rfile.read(min(int(self.headers.get("Content-Length", "0")), LARGEST)))
            except ValueError:
                return None
            return raw if isinstance(raw, dict) else None

        def _answer(self, status: int, body: dict[str, Any]) -> None:
            data = json.dumps(body, ensure_ascii=False).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    return Handler


def make_server(port: int = 0) -> ThreadingHTTPServer:
    """A server on loopback; port 0 takes a free one. ``serve_forever`` runs it."""
    return ThreadingHTTPServer(("127.0.0.1", port), handler_for(SimulatedSource()))


def main() -> None:
    parser = argparse.ArgumentParser(description="案源系统模拟器")
    parser.add_argument("--port", type=int, default=8091)
    server = make_server(parser.parse_args().port)
    sys.stdout.write(f"案源系统模拟器在 http://127.0.0.1:{server.server_port}\n")
    sys.stdout.flush()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()
