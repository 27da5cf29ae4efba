"""The officer platform as a server of its own: knows certificates by their number, is slow, away or answers nonsense.

    python -m integrations.city_officer_platform.simulator --port 8096

POST /officers/verify      the contract
PUT  /simulator/behaviour  {"mode": "ok" | "down" | "slow" | "nonsense"}: how the next calls go

Every number is registered to whoever claims it and good until the end of 2030, except: one that ends with 9 is not known,
one that ends with 8 belongs to 另有其人, one that ends with 7 is suspended.
"""
from __future__ import annotations

import time
from collections.abc import Mapping
from http.server import ThreadingHTTPServer
from typing import Any

from engine.sdk.simulating import Answer, behaviour, make_json_server, run

MODES = ("ok", "down", "slow", "nonsense")
SLOW_SECONDS = 12
UNTIL = "2030-12-31"


class SimulatedPlatform:
    """How the simulated platform behaves."""

    def __init__(self, slow_seconds: float = SLOW_SECONDS) -> None:
        self.mode = "ok"
        self.slow_seconds = slow_seconds

    def verify(self, body: Mapping[str, Any]) -> Answer:
        """Status and answer of POST /officers/verify."""
        if self.mode == "down":
            return 503, {"message": "系统维护中"}
        if self.mode == "slow":
            time.sleep(self.slow_seconds)
        if self.mode == "nonsense":
            return 200, {"registered": "全部"}
        asked = body.get("officers")
        if not isinstance(asked, list) or not all(isinstance(one, dict) and one.get("number") for one in asked):
            return 422, {"message": "缺少 officers"}
        return 200, {"registered": [_one(one) for one in asked if not str(one["number"]).endswith("9")]}


def _one(asked: Mapping[str, Any]) -> dict[str, Any]:
    number = str(asked["number"])
    other, held = number.endswith("8"), number.endswith("7")
    return {"number": number, "name": "另有其人" if other else str(asked.get("name", "")), "state": "suspended" if held else "valid", "valid_until": UNTIL}


def make_server(port: int = 0, *, slow_seconds: float = SLOW_SECONDS) -> ThreadingHTTPServer:
    """A server on loopback; port 0 takes a free one. ``serve_forever`` runs it."""
    platform = SimulatedPlatform(slow_seconds)
    return make_json_server({"POST /officers/verify": lambda call: platform.verify(call.body), "PUT /simulator/behaviour": behaviour(platform, MODES)}, port=port)


if __name__ == "__main__":
    run(make_server, title="市局执法人员平台模拟器", port=8096)
