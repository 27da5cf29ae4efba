"""A portal as a server of its own.

    python -m integrations.portal.simulator --port 8095

POST /announcements  keeps the announcement and answers {"url", "published_on"}; the same Idempotency-Key answers the same.
                     422 for one without a text, 503 on every title with 维护
GET  /               the announcements as a page, GET /announcements/<n> one of them
"""
from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from html import escape
from http.server import ThreadingHTTPServer
from threading import Lock
from typing import Any
from zoneinfo import ZoneInfo

from engine.sdk.simulating import Answer, Call, make_json_server, run


class Board:
    """What has been published."""

    def __init__(self) -> None:
        self.shown: list[dict[str, Any]] = []
        self._by_key: dict[str, int] = {}
        self._lock = Lock()

    def publish(self, sent: Mapping[str, Any], key: str, *, base: str) -> Answer:
        """Status, and where it stands or why not."""
        if not str(sent.get("text", "")).strip():
            return 422, {"message": "公告没有内容"}
        if "维护" in str(sent.get("title", "")):
            return 503, {"message": "网站正在维护"}
        with self._lock:
            if key not in self._by_key:
                self.shown.append({**sent, "published_on": sent.get("today") or datetime.now(ZoneInfo("Asia/Shanghai")).date().isoformat()})
                self._by_key[key] = len(self.shown)
            number = self._by_key[key]
        return 201, {"url": f"{base}/announcements/{number}", "published_on": self.shown[number - 1]["published_on"]}

    def page(self, number: str) -> Answer:
        """The announcement ``number``, all of them without one."""
        rows = self.shown[int(number) - 1:int(number)] if number.isdigit() else self.shown
        body = "".join(f"<article><h2>{escape(str(one['title']))}</h2><p>{escape(str(one['unit']))}　{one['published_on']}</p><p>{escape(str(one['text']))}</p></article>" for one in rows)
        return 200 if rows or not number else 404, f"<!doctype html><meta charset=utf-8><title>门户网站（模拟）</title><h1>送达公告（模拟网站）</h1>{body}"


def make_server(port: int = 0, *, board: Board | None = None) -> ThreadingHTTPServer:
    """A server on loopback; port 0 takes a free one. What is published stands on ``board``."""
    board = board or Board()

    def publish(call: Call) -> Answer:
        return board.publish(call.body, call.key, base=call.base)

    return make_json_server({"POST /announcements": publish, "GET /": lambda call: board.page(""), "GET /announcements/": lambda call: board.page(call.rest)}, port=port)


if __name__ == "__main__":
    run(make_server, title="门户网站模拟器", port=8095)
