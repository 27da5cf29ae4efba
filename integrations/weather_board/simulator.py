"""A weather board as a server of its own.

    python -m integrations.weather_board.simulator --port 8092

GET /forecast?place=…  {"chance": 80}; dry at 沙漠, rain elsewhere, 404 at 月球, 503 at 风暴眼
"""
from __future__ import annotations

from http.server import ThreadingHTTPServer

from engine.sdk.simulating import Answer, make_json_server, run


def answer(place: str) -> Answer:
    """Status and body for a place."""
    if not place or "月球" in place:
        return 404, {"message": "没有这个地方的预报"}
    if "风暴眼" in place:
        return 503, {"message": "信息牌被吹倒了"}
    return 200, {"chance": 5 if "沙漠" in place else 80}


def make_server(port: int = 0) -> ThreadingHTTPServer:
    """A server on loopback; port 0 takes a free one."""
    return make_json_server({"GET /forecast": lambda call: answer(call.query.get("place", ""))}, port=port)


if __name__ == "__main__":
    run(make_server, title="气象信息牌模拟器", port=8092)
