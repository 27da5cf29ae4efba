"""What the portal is told, and what it answers."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Announcement:
    """A 送达公告: ``text`` is what readers see, ``number`` may be empty."""

    title: str
    number: str
    text: str
    unit: str
    case_number: str

    def write(self) -> dict[str, str]:
        """As JSON."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Published:
    """The portal's receipt: the address that shows the announcement and the day from which it does."""

    url: str
    published_on: date

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Published:
        """From parsed JSON; raises ValueError when it is no receipt."""
        url = raw.get("url")
        if not isinstance(url, str) or not url.startswith("http"):
            raise ValueError(f"不是网址：{url!r}")
        return cls(url=url[:500], published_on=date.fromisoformat(str(raw.get("published_on"))))
