"""市规划资源局 as a server of its own, with invented items.

    python -m integrations.planning_bureau.simulator --port 8098

It answers the contract of ``engine.sdk.exchanging``; see ``engine.sdk.simulating_exchange`` for how to make it misbehave.
"""
from __future__ import annotations

from http.server import ThreadingHTTPServer
from typing import Any

from engine.sdk.simulating import run
from engine.sdk.simulating_exchange import SimulatedExchange

PARCELS: list[dict[str, Any]] = [
    {"key": "DX-310106-001-1", "day": "2026-11-16", "code": "DX-310106-001", "unit_code": "UM-310106-J1", "street": "UM-310106-J1", "title": "余姚路西段低效工业地块", "address": "静安区余姚路",
     "outline": {"type": "Polygon", "coordinates": [[[121.4240, 31.2265], [121.4320, 31.2265], [121.4320, 31.2290], [121.4240, 31.2290], [121.4240, 31.2265]]]}, "announced_on": "2026-11-16"},
    {"key": "DX-310107-004-1", "day": "2026-11-16", "code": "DX-310107-004", "unit_code": "UM-310107-J1", "street": "UM-310107-J1", "title": "宜昌路仓储低效地块", "address": "普陀区宜昌路",
     "outline": {"type": "Polygon", "coordinates": [[[121.4300, 31.2360], [121.4340, 31.2360], [121.4340, 31.2480], [121.4300, 31.2480], [121.4300, 31.2360]]]}, "announced_on": "2026-11-16"},
]


def make_server(port: int = 0) -> ThreadingHTTPServer:
    """A server on loopback; port 0 takes a free one. ``serve_forever`` runs it."""
    return SimulatedExchange(feeds={"parcels": PARCELS}, takes=()).server(port)


if __name__ == "__main__":
    run(make_server, title="市规划资源局模拟器", port=8098)
