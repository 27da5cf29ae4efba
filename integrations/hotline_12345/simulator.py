"""12345 热线 as a server of its own, with invented items.

    python -m integrations.hotline_12345.simulator --port 8096

It answers the contract of ``engine.sdk.exchanging``; see ``engine.sdk.simulating_exchange`` for how to make it misbehave.
"""
from __future__ import annotations

from http.server import ThreadingHTTPServer
from typing import Any

from engine.sdk.simulating import run
from engine.sdk.simulating_exchange import SimulatedExchange

TICKETS: list[dict[str, Any]] = [
    {"key": "12345-20261119-0386", "day": "2026-11-19", "external_number": "20261119-0386", "unit_code": "UM-310106-J1", "title": "反映楼上住户在楼顶搭建阳光房", "address": "静安区康定路99号2号楼",
     "content": "来电反映楼顶在夜间施工，要求核实处理并回复。", "found_on": "2026-11-19"},
    {"key": "12345-20261120-0021", "day": "2026-11-20", "external_number": "20261120-0021", "unit_code": "UM-310107-J2", "title": "反映小区绿地被圈占搭棚", "address": "普陀区曹杨一村12号",
     "content": "来电反映底层住户圈占绿地搭建棚屋。", "found_on": "2026-11-20"},
]


def make_server(port: int = 0) -> ThreadingHTTPServer:
    """A server on loopback; port 0 takes a free one. ``serve_forever`` runs it."""
    return SimulatedExchange(feeds={"tickets": TICKETS}, takes=("replies",)).server(port)


if __name__ == "__main__":
    run(make_server, title="12345 热线模拟器", port=8096)
