"""A portal as a server of its own.

    python -m integrations.portal.simulator --port 8095

POST /announcements  keeps the announcement and answers {"url", "published_on"}; the same Idempotency-Key answers the same.
                     422 for one without a text, 503 on every title with 维护
GET  /               the announcements as a page, GET /announcements/<n> one of them
"""
from __future__ import annotations

import argparse
import json
import sys
from datetime import datetime
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from typing import Any
from zoneinfo import ZoneInfo


class Board:
    """What has been published."""

    def __init__(self) -> None:
        self.shown: list[dict[str, Any]] = []
        self._by_key: dict[str, int] = {}
        self._lock = Lock()

    def publish(self, sent: dict[str, Any], key: str) -> tuple[int, dict[str, Any]]:
        """Status and number or message."""
        if not str(sent.get("text", "")).strip():
            return 422, {"message": "公告没有内容"}
        if "维护" in str(sent.get("title", "")):
            return 503, {"message": "网站正在维护"}
        with self._lock:
            if key not in self._by_key:
                self.shown.append({**sent, "published_on": sent.get("today") or datetime.now(ZoneInfo("Asia/Shanghai")).date().isoformat()})
                self._by_key[key] = len(self.shown)
            number = self._by_key[key]
        return 201, {"number": number, "published_on": self.shown[number - 1]["published_on"]}


class Handler(BaseHTTPRequestHandler):
    """The portal's endpoints."""

    board: Board

    def do_POST(self) -> None:
        sent = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        if self.path != "/announcements":
            return self._send(404, "application/json", json.dumps({"message": "没有这个接口"}))
        status, answer = self.board.publish(sent, self.headers.get("Idempotency-Key", ""))
        if status == 201:
            answer["url"] = f"http://127.0.0.1:{self.server.server_port}/announcements/{answer.pop('number')}"  # type: ignore[attr-defined]
        return self._send(status, "application/json", json.dumps(answer, ensure_ascii=False))

    def do_GET(self) -> None:
        number = self.path.rpartition("/")[2]
        shown = self.board.shown
        rows = shown[int(number) - 1:int(number)] if number.isdigit() else shown
        body = "".join(f"<article><h2>{escape(str(one['title']))}</h2><p>{escape(str(one['unit']))}　{one['published_on']}</p><p>{escape(str(one['text']))}</p></article>" for one in rows)
        self._send(200 if rows or self.path == "/" else 404, "text/html", f"<!doctype html><meta charset=utf-8><title>门户网站（模拟）</title><h1>送达公告（模拟网站）</h1>{body}")

    def _send(self, status: int, kind: str, text: str) -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet."""


def make_server(port: int = 0) -> ThreadingHTTPServer:
    """A server on loopback; port 0 takes a free one."""
    handler = type("BoardHandler", (Handler,), {"board": Board()})
    return ThreadingHTTPServer(("127.0.0.1", port), handler)


def main() -> None:
    parser = argparse.ArgumentParser(description="门户网站模拟器")
    parser.add_argument("--port", type=int, default=8095)
    server = make_server(parser.parse_args().port)
    sys.stdout.write(f"门户网站模拟器在 http://127.0.0.1:{server.server_port}\n")
    sys.stdout.flush()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()
