"""An address service as a server of its own, which speaks GCJ-02 as map companies do: a few invented roads, every house number on a line.

    python -m integrations.geocoder.simulator --port 8094

GET /locate?address=…      candidates by the road named in the address; 404 when it knows none
GET /nearest?lon=…&lat=…   the two nearest addresses; &datum=gcj02 when it is asked in its own datum, else CGCS2000
PUT /simulator/behaviour   {"mode": "ok" | "down" | "slow" | "garbled"}: how the next calls go
"""
from __future__ import annotations

import re
import time
from http.server import ThreadingHTTPServer
from typing import Any

from engine.sdk.places import to_gcj02
from engine.sdk.simulating import Answer, Call, behaviour, make_json_server, run

MODES = ("ok", "down", "slow", "garbled")
SLOW_SECONDS = 12
ROADS = {"余姚路": ("静安区", 121.4360, 31.2260), "云汀路": ("静安区", 121.4540, 31.2330), "长寿路": ("普陀区", 121.4340, 31.2400), "花溪路": ("普陀区", 121.4090, 31.2370)}
"""Where number 1 of each road stands, in GCJ-02; each number is 2 m further east."""
STEP = 0.00002


class SimulatedService:
    """How the simulated service behaves."""

    def __init__(self) -> None:
        self.mode = "ok"

    def answer(self, found: list[dict[str, Any]]) -> Answer:
        if self.mode == "down":
            return 503, {"message": "系统维护中"}
        if self.mode == "slow":
            time.sleep(SLOW_SECONDS)
        if self.mode == "garbled":
            return 200, {"candidates": "没有"}
        return (200, {"datum": "gcj02", "candidates": found}) if found else (404, {"message": "没有这个地址"})


def _at(road: str, number: int, confidence: float, precision: str) -> dict[str, Any]:
    district, lon, lat = ROADS[road]
    return {"title": f"{district}{road}{number}号" if number else f"{district}{road}", "lon": round(lon + STEP * number, 6), "lat": lat, "confidence": confidence, "precision": precision}


def locate(call: Call) -> list[dict[str, Any]]:
    """What the roads know of the address."""
    address = call.query.get("address", "")
    number = re.search(r"(\d+)[号弄]", address)
    return [_at(road, int(number[1]) if number else 0, 0.95 if number else 0.5, "number" if number else "road") for road in ROADS if road in address]


def nearest(call: Call) -> list[dict[str, Any]]:
    """The numbers of the two nearest roads beside the place."""
    try:
        lon, lat = float(call.query["lon"]), float(call.query["lat"])
        if call.query.get("datum", "cgcs2000") == "cgcs2000":
            lon, lat = to_gcj02(lon, lat)
    except (KeyError, ValueError):
        return []
    roads = sorted(ROADS, key=lambda road: (abs(ROADS[road][2] - lat), abs(ROADS[road][1] - lon)))[:2]
    return [_at(road, max(1, round((lon - ROADS[road][1]) / STEP)), 0.9, "number") for road in roads]


def make_server(port: int = 0) -> ThreadingHTTPServer:
    """A server on loopback; port 0 takes a free one. ``serve_forever`` runs it."""
    service = SimulatedService()
    return make_json_server({
        "GET /locate": lambda call: service.answer(locate(call)), "GET /nearest": lambda call: service.answer(nearest(call)),
        "PUT /simulator/behaviour": behaviour(service, MODES),
    }, port=port)


if __name__ == "__main__":
    run(make_server, title="地址服务模拟器", port=8094)
