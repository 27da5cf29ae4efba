"""The contract between the city's officer platform and us, version 1. Every message is one JSON object."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

STATES = {"valid": "有效", "suspended": "暂扣", "cancelled": "注销", "expired": "过期"}


class MessageError(ValueError):
    """The answer breaks the contract; the text says how, in Chinese."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What we have on record of one officer."""

    name: str
    number: str


def write(claims: Sequence[Claim]) -> dict[str, Any]:
    return {"officers": [asdict(one) for one in claims]}


@dataclass(frozen=True, kw_only=True)
class Registered:
    """One certificate as the platform has it; ``state`` is one of STATES."""

    number: str
    name: str
    state: str
    valid_until: date | None

    @property
    def state_words(self) -> str:
        return STATES[self.state]


def read(raw: Mapping[str, Any]) -> dict[str, Registered]:
    """Certificates by number, those that the platform knows; raises MessageError."""
    listed = raw.get("registered")
    if not isinstance(listed, list):
        raise MessageError("市局执法人员平台的答复缺少 registered")
    found = [_one(one) for one in listed]
    return {one.number: one for one in found}


def _one(raw: Any) -> Registered:
    if not isinstance(raw, dict) or not all(isinstance(raw.get(name), str) and raw[name] for name in ("number", "name")) or raw.get("state") not in STATES:
        raise MessageError("市局执法人员平台的答复里有认不出的一项")
    try:
        until = date.fromisoformat(raw["valid_until"]) if raw.get("valid_until") else None
    except (TypeError, ValueError):
        raise MessageError("市局执法人员平台答复的有效期不是日期") from None
    return Registered(number=raw["number"], name=raw["name"], state=raw["state"], valid_until=until)
