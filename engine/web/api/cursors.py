"""Cursors of lists: opaque, good only for the list that gave them."""
from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from typing import Any

from flask import request

from engine.kernel.errors import Invalid
from engine.kernel.gm import hmac_sm3
from engine.runtime.queries.pages import decode, encode
from engine.web.context import application

LONG = 12


def give(inner: str | None) -> str | None:
    """What the caller gets for a cursor of a read-model."""
    if inner is None:
        return None
    return base64.urlsafe_b64encode(_mark(inner) + inner.encode()).rstrip(b"=").decode()


def take(cursor: str | None) -> str | None:
    """The read-model's cursor again; raises Invalid for anything that this list didn't give."""
    if not cursor:
        return None
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        mark, inner = raw[:LONG], raw[LONG:].decode()
    except ValueError:
        mark, inner = b"", ""
    if not hmac.compare_digest(mark, _mark(inner)):
        raise Invalid("cursor 不是这个列表给的，请从第一页重新翻。", code="bad_cursor", fields={"cursor": "请原样传回上一页的 next。"})
    return inner


def give_key(key: Sequence[Any]) -> str:
    """A cursor for rows that follow ``key``."""
    return str(give(encode(key)))


def take_key(cursor: str | None, *, length: int) -> list[str] | None:
    """The key in a cursor of ``give_key``."""
    inner = take(cursor)
    return None if inner is None else [str(part) for part in decode(inner, length=length)]


def _mark(inner: str) -> bytes:
    return hmac_sm3(application().settings.secret_key, f"cursor:{request.endpoint}:{inner}".encode())[:LONG]
