"""What an address service answers. Every answer names the datum of its coordinates."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

DATUMS = ("cgcs2000", "gcj02", "bd09")
PRECISIONS = ("number", "between", "lane", "community", "crossing", "place", "road", "street", "district")
MOST = 8


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One place, in the datum of the answer."""

    title: str
    lon: float
    lat: float
    confidence: float
    precision: str


@dataclass(frozen=True, kw_only=True)
class Answer:
    """``datum`` is one of DATUMS: the service's own."""

    datum: str
    candidates: Sequence[Candidate]

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Answer:
        """From parsed JSON; raises ValueError when it breaks the contract."""
        datum, listed = raw.get("datum"), raw.get("candidates")
        if datum not in DATUMS or not isinstance(listed, list):
            raise ValueError("答复要有 datum 和 candidates")
        return cls(datum=datum, candidates=[_candidate(one) for one in listed[:MOST]])


def _candidate(raw: Any) -> Candidate:
    if not isinstance(raw, dict) or raw.get("precision") not in PRECISIONS:
        raise ValueError("candidates 里有认不出的一项")
    try:
        lon, lat, confidence = (float(raw[name]) for name in ("lon", "lat", "confidence"))
    except (KeyError, TypeError, ValueError):
        raise ValueError("坐标或者把握不是数字") from None
    if not 0 <= confidence <= 1:
        raise ValueError("把握应在 0 和 1 之间")
    return Candidate(title=str(raw.get("title", ""))[:100], lon=lon, lat=lat, confidence=confidence, precision=raw["precision"])
