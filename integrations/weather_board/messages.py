"""What the weather board answers."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """Chance of rain in percent, 0 to 100."""

    chance: int

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Forecast:
        """From parsed JSON; raises ValueError when it is no forecast."""
        chance = raw.get("chance")
        if not isinstance(chance, int) or not 0 <= chance <= 100:
            raise ValueError(f"不是降雨概率：{chance!r}")
        return cls(chance=chance)
