"""The other side of an exchange, for simulators: feeds with items, records taken with receipts, and a way to misbehave."""
from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from http.server import ThreadingHTTPServer
from typing import Any

from engine.sdk.simulating import Answer, Call, behaviour, make_json_server

MODES = ("ok", "refuse", "down", "slow", "garbled")
SLOW_SECONDS = 12


class SimulatedExchange:
    """``feeds`` {name: items, oldest first}, each with ``key`` and ``day``; ``takes`` the feeds that it is given. Safe for several threads."""

    def __init__(self, *, feeds: Mapping[str, Sequence[Mapping[str, Any]]], takes: Sequence[str] = ()) -> None:
        self.mode = "ok"
        self.feeds = {name: [dict(item) for item in items] for name, items in feeds.items()}
        self.taken: dict[str, list[dict[str, Any]]] = {name: [] for name in takes}
        self._receipts: dict[str, str] = {}
        self._lock = threading.Lock()

    def server(self, port: int = 0) -> ThreadingHTTPServer:
        """A server on loopback.

        Besides the contract: ``PUT /simulator/behaviour`` {"mode"}, ``POST /simulator/items/<feed>`` adds an item, ``GET /simulator/taken`` shows what was given.
        """
        routes: dict[str, Callable[[Call], Answer]] = {
            "PUT /simulator/behaviour": behaviour(self, MODES), "GET /simulator/taken": lambda call: (200, {"taken": self.taken}), "POST /simulator/items/": self._add,
        }
        for feed in {*self.feeds, *self.taken}:
            routes[f"GET /feeds/{feed}"] = self._answering(lambda call, feed=feed: self._page(feed, call))  # type: ignore[misc]
            routes[f"GET /feeds/{feed}/items"] = self._answering(lambda call, feed=feed: self._some(feed, call))  # type: ignore[misc]
            routes[f"GET /feeds/{feed}/keys"] = self._answering(lambda call, feed=feed: self._keys(feed, call))  # type: ignore[misc]
            routes[f"POST /feeds/{feed}"] = self._answering(lambda call, feed=feed: self._take(feed, call))  # type: ignore[misc]
        return make_json_server(routes, port=port)

    def _answering(self, answer: Callable[[Call], Answer]) -> Callable[[Call], Answer]:
        def told(call: Call) -> Answer:
            if self.mode == "down":
                return 503, {"message": "系统维护中"}
            if self.mode == "slow":
                time.sleep(SLOW_SECONDS)
            return (200, {"items": "没有"}) if self.mode == "garbled" else answer(call)

        return told

    def _page(self, feed: str, call: Call) -> Answer:
        items, start = self.feeds.get(feed, []), int(call.query.get("after") or 0)
        end = start + min(int(call.query.get("most") or 50), 50)
        return 200, {"items": items[start:end], "after": str(min(end, len(items))), "more": end < len(items)}

    def _some(self, feed: str, call: Call) -> Answer:
        wanted = set(call.query.get("keys", "").split(","))
        return 200, {"items": [item for item in self.feeds.get(feed, []) if item["key"] in wanted]}

    def _keys(self, feed: str, call: Call) -> Answer:
        held = self.taken.get(feed, self.feeds.get(feed, []))
        return 200, {"keys": [item["key"] for item in held if item.get("day") == call.query.get("day")]}

    def _take(self, feed: str, call: Call) -> Answer:
        if feed not in self.taken or not call.key:
            return 422, {"message": "这个接口不接收数据，或者没有 Idempotency-Key"}
        if self.mode == "refuse":
            return 409, {"message": "对方核对不一致，不接收"}
        with self._lock:
            if call.key not in self._receipts:
                self._receipts[call.key] = f"HZ{len(self._receipts) + 1:06}"
                self.taken[feed].append({**call.body, "key": call.key})
            return 200, {"receipt": self._receipts[call.key]}

    def _add(self, call: Call) -> Answer:
        if call.rest not in self.feeds or not call.body.get("key") or not call.body.get("day"):
            return 422, {"message": "要有 key、day，并写明已有的 feed"}
        with self._lock:
            self.feeds[call.rest].append(dict(call.body))
        return 200, {"count": len(self.feeds[call.rest])}
