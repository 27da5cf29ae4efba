"""网格化系统 as a server of its own, with invented items.

    python -m integrations.grid_system.simulator --port 8095

It answers the contract of ``engine.sdk.exchanging``; see ``engine.sdk.simulating_exchange`` for how to make it misbehave.
"""
from __future__ import annotations

from http.server import ThreadingHTTPServer
from typing import Any

from engine.sdk.simulating import run
from engine.sdk.simulating_exchange import SimulatedExchange

CASES: list[dict[str, Any]] = [
    {"key": "WG2026110001", "day": "2026-11-18", "external_number": "WG2026110001", "unit_code": "UM-310106-J1", "title": "余姚路沿街商铺门前搭建雨棚", "address": "静安区余姚路301号",
     "content": "巡查发现商铺在人行道上搭建金属雨棚，约十平方米。", "found_on": "2026-11-18", "area": 10},
    {"key": "WG2026110002", "day": "2026-11-19", "external_number": "WG2026110002", "unit_code": "UM-310106-J1", "title": "长寿支路居民楼天井封顶", "address": "静安区曹家渡街道长寿支路190号",
     "content": "居民楼底层天井加盖玻璃顶。", "found_on": "2026-11-19", "location": {"lon": 121.4285, "lat": 31.2277, "datum": "gcj02"}},
    {"key": "WG2026110003", "day": "2026-11-19", "external_number": "WG2026110003", "unit_code": "没有这个街镇", "title": "河边堆料棚", "address": "西苏州路8号", "found_on": "2026-11-19"},
]
"""The third names a unit that nobody has: it comes as refused."""


def make_server(port: int = 0) -> ThreadingHTTPServer:
    """A server on loopback; port 0 takes a free one. ``serve_forever`` runs it."""
    return SimulatedExchange(feeds={"cases": CASES}, takes=("results",)).server(port)


if __name__ == "__main__":
    run(make_server, title="网格化系统模拟器", port=8095)
