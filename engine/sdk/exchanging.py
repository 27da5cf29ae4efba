"""Exchanges that repeat: the client's side of a system that speaks the common contract, JSON over HTTP.

    GET  /feeds/<feed>?after=…&most=50     {"items": [{"key", "day", …}], "after": "…", "more": false}
    GET  /feeds/<feed>/items?keys=a,b      {"items": […]}
    GET  /feeds/<feed>/keys?day=2026-11-20 {"keys": […]}: what it told, or was given, of that day
    POST /feeds/<feed>                     one record with its ``day`` (Shanghai), header Idempotency-Key → {"receipt": "…"}; 409 or 422 with {"message"} refuses it
"""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from engine.runtime.exchange.contract import ExchangePartner, Item, Page, Receipt
from engine.runtime.handlers import ConnectorConfig
from engine.sdk import BusinessError
from engine.sdk.json_http import JsonHttp

__all__ = ["ExchangePartner", "HttpExchange", "Item", "Page", "Receipt"]
REFUSED, LARGEST = "exchange_refused", 4 << 20
Check = Callable[[Mapping[str, Any]], str]
"""What is wrong with an item's data, in Chinese; empty when nothing is."""


class HttpExchange:
    """``feeds`` says by name how the items of each feed are checked; what breaks the contract comes with its problem."""

    def __init__(self, config: ConnectorConfig, *, title: str, feeds: Mapping[str, Check]) -> None:
        self._http, self._feeds = JsonHttp(config, title=title, refused=REFUSED, decided=(409, 422), largest=LARGEST), feeds

    def pull(self, feed: str, *, after: str, most: int) -> Page:
        return self._http.get(f"/feeds/{feed}", lambda raw: self._page(feed, raw), after=after, most=str(most))

    def fetch(self, feed: str, *, keys: Sequence[str]) -> Sequence[Item]:
        return self._http.get(f"/feeds/{feed}/items", lambda raw: self._items(feed, raw), keys=",".join(keys))

    def push(self, feed: str, *, record: Mapping[str, Any], key: str) -> Receipt:
        try:
            return self._http.post(f"/feeds/{feed}", record, _receipt, key=key)
        except BusinessError as problem:
            return Receipt(refused=problem.message)

    def keys_of(self, feed: str, *, day: date) -> Sequence[str]:
        return self._http.get(f"/feeds/{feed}/keys", _keys, day=day.isoformat())

    def _page(self, feed: str, raw: Mapping[str, Any]) -> Page:
        return Page(items=self._items(feed, raw), after=str(raw["after"]) if "after" in raw else _missing("after"), more=bool(raw.get("more")))

    def _items(self, feed: str, raw: Mapping[str, Any]) -> list[Item]:
        listed = raw.get("items")
        if not isinstance(listed, list):
            raise ValueError("没有 items")
        return [self._item(feed, one) for one in listed]

    def _item(self, feed: str, raw: Any) -> Item:
        if not isinstance(raw, dict) or not raw.get("key") or not raw.get("day"):
            raise ValueError("来件要有 key 和 day")
        data = {name: value for name, value in raw.items() if name not in ("key", "day")}
        return Item(key=str(raw["key"])[:200], day=date.fromisoformat(str(raw["day"])), data=data, problem=self._feeds[feed](data))


def _missing(name: str) -> str:
    raise ValueError(f"没有 {name}")


def _receipt(raw: Mapping[str, Any]) -> Receipt:
    return Receipt(number=str(raw.get("receipt") or _missing("receipt")))


def _keys(raw: Mapping[str, Any]) -> list[str]:
    keys = raw.get("keys")
    if not isinstance(keys, list):
        raise ValueError("没有 keys")
    return [str(key) for key in keys]


def check_fields(required: Mapping[str, str], lengths: Mapping[str, int], *, dates: Sequence[str] = ()) -> Check:
    """A check: ``required`` {field: what it is called}, longest texts, days as 2026-11-20."""
    def check(data: Mapping[str, Any]) -> str:
        wrong = [f"缺少{title}" for name, title in required.items() if data.get(name) in (None, "")]
        wrong += [f"{name} 超过 {most} 个字" for name, most in lengths.items() if len(str(data.get(name) or "")) > most]
        for name in dates:
            try:
                date.fromisoformat(str(data[name])) if data.get(name) else None
            except ValueError:
                wrong.append(f"{name} 不是 2026-11-20 这样的日期")
        return "；".join(wrong)

    return check
