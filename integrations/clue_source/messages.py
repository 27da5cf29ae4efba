"""The standard contract between a clue source and us, version 1. Every message is one JSON object."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

MESSAGE = "clue_received"
SOURCES = ("complaint", "comprehensive", "traceability", "advertising", "sampling", "superior", "transfer", "district", "media", "other")
LIMITS = {"source_system": 50, "external_id": 64, "unit_code": 32, "title": 100, "content": 4000, "address_text": 200, "party_name": 100,
          "party_code": 18, "reporter_name": 50, "reporter_phone": 20}
REQUIRED = ("source", "external_id", "unit_code", "received_on", "title", "content")


class MessageError(ValueError):
    """The message breaks the contract; ``problems`` maps a field to what is wrong with it, in Chinese."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("；".join(f"{name}：{text}" for name, text in problems.items()))
        self.problems = dict(problems)


@dataclass(frozen=True, kw_only=True)
class ClueNotice:
    """A clue that a source pushes to us. The pair (source, external_id) names it for ever, so pushing twice is safe.

    source       one of SOURCES, the codes of the dictionary case_filing.source
    unit_code    code of the unit that shall handle it
    received_on  the day on which the source found the clue or got the material
    """

    source: str
    external_id: str
    unit_code: str
    received_on: date
    title: str
    content: str
    source_system: str = ""
    address_text: str = ""
    party_name: str = ""
    party_code: str = field(default="", repr=False)
    reporter_name: str = field(default="", repr=False)
    reporter_phone: str = field(default="", repr=False)

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> ClueNotice:
        """From parsed JSON; raises MessageError naming every field that is wrong."""
        problems = {name: "不能为空" for name in REQUIRED if not str(raw.get(name) or "").strip()}
        problems |= {name: "合同里没有这一项" for name in raw if name not in cls.__dataclass_fields__}
        problems |= {name: f"不能超过 {most} 个字" for name, most in LIMITS.items() if len(str(raw.get(name) or "")) > most}
        if raw.get("source") and raw["source"] not in SOURCES:
            problems["source"] = f"应是 {'、'.join(SOURCES)} 之一"
        day = _day(raw.get("received_on"), problems)
        if problems or day is None:
            raise MessageError(problems)
        words = {name: str(value).strip() for name, value in raw.items() if name != "received_on" and value is not None}
        return cls(received_on=day, **words)

    @property
    def key(self) -> str:
        """The idempotency key of the push."""
        return f"clue:{self.source}:{self.external_id}"

    def write(self) -> dict[str, Any]:
        """As JSON-able dict; what is empty is left out."""
        return {name: value.isoformat() if isinstance(value, date) else value for name, value in asdict(self).items() if value}


@dataclass(frozen=True, kw_only=True)
class ReturnedClue:
    """A clue that we give back to its source because it does not qualify."""

    source: str
    external_id: str
    reason: str
    returned_on: date

    def write(self) -> dict[str, str]:
        return {"source": self.source, "external_id": self.external_id, "reason": self.reason, "returned_on": self.returned_on.isoformat()}


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """The source's answer to a return: its own number for it."""

    number: str

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Receipt:
        number = raw.get("receipt")
        if not isinstance(number, str) or not number:
            raise MessageError({"receipt": "来源系统的回执里没有回执号"})
        return cls(number=number)


def _day(value: Any, problems: dict[str, str]) -> date | None:
    if not value:
        return None
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        problems["received_on"] = "应是 2026-11-20 这样的日期"
        return None
