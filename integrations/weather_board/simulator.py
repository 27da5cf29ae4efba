"""A weather board as a server of its own.

    python -m integrations.weather_board.simulator --port 8092

GET /forecast?place=…  {"chance": 80}; dry at 沙漠, rain elsewhere, 404 at 月球, 503 at 风暴眼
"""
from __future__ import annotations

import argparse
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


def answer(place: str) -> tuple[int, dict[str, Any]]:
    """Status and body for a place."""
    if not place or "月球" in place:
        return 404, {"message": "没有这个地方的预报"}
    if "风暴眼" in place:
        return 503, {"message": "信息牌被吹倒了"}
    return 200, {"chance": 5 if "沙漠" in place else 80}


class Handler(BaseHTTPRequestHandler):
    """The board's one endpoint."""

    def do_GET(self) -> None:
        where = urlsplit(self.path)
        place = parse_qs(where.query).get("place", [""])[0]
        status, body = answer(place) if where.path == "/forecast" else (404, {"message": "没有这个接口"})
        data = json.dumps(body, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet."""


def make_server(port: int = 0) -> ThreadingHTTPServer:
    """A server on loopback; port 0 takes a free one."""
    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


def main() -> None:
    parser = argparse.ArgumentParser(description="气象信息牌模拟器")
    parser.add_argument("--port", type=int, default=8092)
    server = make_server(parser.parse_args().port)
    sys.stdout.write(f"气象信息牌模拟器在 http://127.0.0.1:{server.server_port}\n")
    sys.stdout.flush()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()
