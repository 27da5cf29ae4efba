"""区拆违系统 as a server of its own, with invented items.

    python -m integrations.district_demolition.simulator --port 8097

It answers the contract of ``engine.sdk.exchanging``; see ``engine.sdk.simulating_exchange`` for how to make it misbehave.
"""
from __future__ import annotations

from http.server import ThreadingHTTPServer
from typing import Any

from engine.sdk.simulating import run
from engine.sdk.simulating_exchange import SimulatedExchange

CASES: list[dict[str, Any]] = [
    {"key": "JA-CW-2026-0412", "day": "2026-11-17", "external_number": "JA-CW-2026-0412", "unit_code": "UM-310106-J2", "title": "江宁路商务楼露台加建", "address": "静安区江宁路175号",
     "content": "区系统巡查发现，已拍照。", "found_on": "2026-11-17", "area": 42.5},
]
DEMOLITIONS: list[dict[str, Any]] = [
    {"key": "JA-CC-2026-0097", "day": "2026-11-19", "external_number": "JA-CC-2026-0097", "unit_code": "UM-310106-J2", "title": "新会路240号搭建", "address": "静安区江宁路街道新会路240号",
     "removed_on": "2026-11-19", "area": 18, "way": "helped", "words": "街道组织助拆，建筑垃圾已清运。"},
]


def make_server(port: int = 0) -> ThreadingHTTPServer:
    """A server on loopback; port 0 takes a free one. ``serve_forever`` runs it."""
    return SimulatedExchange(feeds={"cases": CASES, "demolitions": DEMOLITIONS}, takes=("points", "scores")).server(port)


if __name__ == "__main__":
    run(make_server, title="区拆违系统模拟器", port=8097)
