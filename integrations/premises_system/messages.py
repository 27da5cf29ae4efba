"""The contract between the system of premises and us, version 1. Every message is one JSON object."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MOST = 2_000


@dataclass(frozen=True, kw_only=True)
class Occupant:
    """One person in one room."""

    name: str
    unit_name: str
    post: str
    room: str
    phone: str

    @classmethod
    def read(cls, raw: Any) -> Occupant:
        """From parsed JSON; raises ValueError."""
        if not isinstance(raw, dict) or not isinstance(raw.get("name"), str) or not raw["name"]:
            raise ValueError("用房管理系统的答复里有没有姓名的一项")
        return cls(**{name: str(raw.get(name) or "") for name in ("name", "unit_name", "post", "room", "phone")})


def read_occupants(raw: Mapping[str, Any]) -> Sequence[Occupant]:
    """Everybody in the answer; raises ValueError."""
    listed = raw.get("occupants")
    if not isinstance(listed, list):
        raise ValueError("用房管理系统的答复缺少 occupants")
    return [Occupant.read(one) for one in listed[:MOST]]
