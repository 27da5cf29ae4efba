"""Where an address lies, and what lies at a place: the port. Who answers is the local gazetteer or an outside service."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot
from typing import Protocol

from engine.kernel.datums import to_metres

SURE = 0.8
"""From this confidence on a place is taken without asking."""
APART = 200.0
"""Metres: a second candidate as good as the first and further away than this makes both doubtful."""
MOST_FOUND = 8
PRECISION = {
    "number": "门牌", "between": "按相邻门牌推算", "lane": "弄", "community": "小区、村", "crossing": "路口", "place": "地点", "road": "路的中段", "street": "街镇中心", "district": "区中心",
}


@dataclass(frozen=True, kw_only=True)
class Found:
    """A place in degrees of CGCS2000. ``confidence`` from 0 to 1; ``precision`` one of ``PRECISION``; ``metres`` away when a place was asked about."""

    title: str
    lon: float
    lat: float
    confidence: float
    precision: str
    why: str = ""
    metres: float | None = None

    @property
    def told(self) -> str:
        """The candidate in words, for people who choose."""
        return f"{self.title}（{PRECISION[self.precision]}，把握 {self.confidence:.0%}{f'，{self.why}' if self.why else ''}）"


class Geocoder(Protocol):
    """Answers with the likeliest first, at most ``MOST_FOUND``; nothing when it doesn't know. An outside one raises TryAgain when there is no answer."""

    title: str

    def locate(self, address: str, *, district: str = "") -> Sequence[Found]:
        """Places that ``address`` may name; ``district`` is where it is looked for first when the address names none."""
        ...

    def nearest(self, lon: float, lat: float) -> Sequence[Found]:
        """Addresses close to a place of CGCS2000, the nearest first."""
        ...


def doubt(found: Sequence[Found]) -> str:
    """Why the first of ``found`` should not be taken without looking; empty when it may be."""
    if not found:
        return "没有找到这个地址"
    first = found[0]
    if first.confidence < SURE:
        return f"只找到{PRECISION[first.precision]}“{first.title}”，把握 {first.confidence:.0%}"
    rivals = [one for one in found[1:] if one.confidence > first.confidence - 0.1 and metres_apart(one, first) > APART]
    return f"有 {len(rivals) + 1} 处都像：{'、'.join(one.title for one in (first, *rivals)[:3])}" if rivals else ""


def metres_apart(one: Found, other: Found) -> float:
    (a, b), (c, d) = to_metres(one.lon, one.lat), to_metres(other.lon, other.lat)
    return hypot(a - c, b - d)
