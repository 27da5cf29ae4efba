"""What the real-name check is asked, and what it answers."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Person:
    """三要素: the check sends a code to ``phone``. ``identifier_kind`` is id_card, passport, …"""

    name: str
    identifier_kind: str
    identifier: str
    phone: str

    def write(self) -> dict[str, str]:
        """As JSON."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Challenge:
    """A check that has begun. ``hint`` says where the code went; a simulator puts the code itself into it."""

    number: str
    hint: str

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Challenge:
        """From parsed JSON; raises ValueError."""
        number = raw.get("number")
        if not isinstance(number, str) or not number:
            raise ValueError("没有核验编号")
        return cls(number=number[:80], hint=str(raw.get("hint", ""))[:200])


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What came of a check: ``passed``, and the ``reason`` in Chinese when not."""

    passed: bool
    reason: str
    receipt: str

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Verdict:
        """From parsed JSON; raises ValueError."""
        if not isinstance(raw.get("passed"), bool):
            raise ValueError("没有核验结果")
        return cls(passed=raw["passed"], reason=str(raw.get("reason", ""))[:200], receipt=str(raw.get("receipt", ""))[:80])
