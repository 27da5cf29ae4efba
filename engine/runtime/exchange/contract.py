"""What an outside system must answer so that an exchange with it can be resumed, repeated and compared."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

PAGE = 50
"""Items of one page, either way."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """One thing that the system tells. ``key`` names it for ever; a changed one has another. ``problem`` when it breaks the contract."""

    key: str
    day: date
    data: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class Page:
    """Items after a place, and the place after them; ``more`` when there are further ones."""

    items: Sequence[Item]
    after: str
    more: bool


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What the system says to one record it was given; ``refused`` in its own words when it doesn't take it."""

    number: str = ""
    refused: str = ""


class ExchangePartner(Protocol):
    """The client of such a system. Every call raises TryAgain when there is no answer that can be read."""

    def pull(self, feed: str, *, after: str, most: int) -> Page:
        """What came after the place ``after`` ("" from the beginning)."""
        ...

    def fetch(self, feed: str, *, keys: Sequence[str]) -> Sequence[Item]:
        """The items with these keys, for what was missed."""
        ...

    def push(self, feed: str, *, record: Mapping[str, Any], key: str) -> Receipt:
        """Give one record; the same ``key`` gives it once and is answered the same."""
        ...

    def keys_of(self, feed: str, *, day: date) -> Sequence[str]:
        """The keys of what the system told (or was given) of ``day``: both sides compare by them."""
        ...
