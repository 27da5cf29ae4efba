"""The system of premises as a server of its own: a few people in rooms, or away.

    python -m integrations.premises_system.simulator --port 8098

GET /occupants?agency=…    the contract
PUT /occupants             {"occupants": […]}: who sits where from now on
PUT /simulator/behaviour   {"mode": "ok" | "down" | "nonsense"}: how the next calls go
"""
from __future__ import annotations

from http.server import ThreadingHTTPServer
from typing import Any

from engine.sdk.simulating import Answer, Call, behaviour, make_json_server, run

MODES = ("ok", "down", "nonsense")
SOME: list[dict[str, Any]] = [
    {"name": "周启衡", "unit_name": "云浦区一中队", "post": "中队长", "room": "东街 1 号 201 室", "phone": "021-60010001"},
    {"name": "白晓棠", "unit_name": "云浦区二中队", "post": "中队长", "room": "西街 2 号 101 室", "phone": "021-60010002"},
    {"name": "门卫室", "unit_name": "云浦区一中队", "post": "值班", "room": "东街 1 号 101 室", "phone": "021-60010009"},
]


class SimulatedPremises:
    """Who sits where."""

    def __init__(self) -> None:
        self.mode = "ok"
        self.occupants = list(SOME)

    def answer(self) -> Answer:
        """Status and answer of GET /occupants."""
        if self.mode == "down":
            return 503, {"message": "系统维护中"}
        if self.mode == "nonsense":
            return 200, {"occupants": "全部"}
        return 200, {"occupants": self.occupants}

    def put(self, call: Call) -> Answer:
        """Status and answer of PUT /occupants."""
        listed = call.body.get("occupants")
        if not isinstance(listed, list):
            return 422, {"message": "缺少 occupants"}
        self.occupants = listed
        return 200, {"count": len(listed)}


def make_server(port: int = 0) -> ThreadingHTTPServer:
    """A server on loopback; port 0 takes a free one. ``serve_forever`` runs it."""
    premises = SimulatedPremises()
    return make_json_server({"GET /occupants": lambda call: premises.answer(), "PUT /occupants": premises.put, "PUT /simulator/behaviour": behaviour(premises, MODES)}, port=port)


if __name__ == "__main__":
    run(make_server, title="用房管理系统模拟器", port=8098)
