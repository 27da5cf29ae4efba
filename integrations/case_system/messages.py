"""The contract between the case system and us, version 1. Every message is one JSON object."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any


class MessageError(ValueError):
    """The answer breaks the contract; the text says how, in Chinese."""


@dataclass(frozen=True, kw_only=True)
class TicketLink:
    """Our ticket ``ticket_number`` belongs to their case ``case_number``; linking the same two again changes nothing.

    officer   name of the officer who linked them
    """

    case_number: str
    ticket_number: str
    title: str
    officer: str
    linked_on: date

    def write(self) -> dict[str, str]:
        return {**asdict(self), "linked_on": self.linked_on.isoformat()}


@dataclass(frozen=True, kw_only=True)
class LinkedCase:
    """Their case as it stood when it was linked. ``receipt`` is their own number for the link."""

    receipt: str
    case_number: str
    title: str
    state: str
    filed_on: date

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> LinkedCase:
        """From parsed JSON; raises MessageError."""
        missing = [name for name in ("receipt", "case_number", "title", "state", "filed_on") if not isinstance(raw.get(name), str) or not raw[name]]
        if missing:
            raise MessageError(f"网上办案系统的答复缺少 {'、'.join(missing)}")
        try:
            filed_on = date.fromisoformat(raw["filed_on"])
        except ValueError:
            raise MessageError("网上办案系统答复的立案日期不是日期") from None
        return cls(receipt=raw["receipt"], case_number=raw["case_number"], title=raw["title"], state=raw["state"], filed_on=filed_on)
