"""A page of a list that is read by key: rows, where it stands, and the key of what follows."""
from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import orjson

from engine.kernel.errors import Invalid

T = TypeVar("T")
EXACT_LIMIT = 10_000


@dataclass(frozen=True, kw_only=True)
class Page(Generic[T]):
    """``first`` and ``last`` count from 1; ``total`` is exact up to 10,000 and 10,001 beyond; ``next`` is the cursor of what follows."""

    rows: Sequence[T]
    first: int
    last: int
    total: int
    next: str | None


@dataclass(frozen=True, kw_only=True)
class Option:
    """One choice of a filter; ``count`` is how many rows it leaves, when known."""

    value: str
    title: str
    count: int | None = None


def cut(rows: Sequence[T], *, size: int, before: int, total: int, key: Callable[[T], Sequence[Any]]) -> Page[T]:
    """The page made of ``rows``, which were read with one row more than ``size``; ``before`` rows stand on earlier pages."""
    shown = rows[:size]
    following = encode(key(shown[-1])) if len(rows) > size else None
    last = before + len(shown)
    return Page(rows=shown, first=before + 1 if shown else 0, last=last, total=max(total, last), next=following)


def encode(key: Sequence[Any]) -> str:
    """A cursor for an address: opaque, without characters that need quoting."""
    return base64.urlsafe_b64encode(orjson.dumps([str(part) if part is not None else None for part in key])).rstrip(b"=").decode()


def decode(cursor: str, *, length: int) -> list[str | None]:
    """The parts of a cursor made by ``encode``; raises Invalid for anything else."""
    try:
        parts = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        parts = None
    if not isinstance(parts, list) or len(parts) != length or not all(part is None or isinstance(part, str) for part in parts):
        raise Invalid("翻页的地址不完整，请回到第一页重新翻。", code="bad_cursor")
    return parts
