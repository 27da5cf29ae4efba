"""The contract between the exchange of the list of powers and us, version 1. Every message is one JSON object."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any


class MessageError(ValueError):
    """The answer breaks the contract; the text says how, in Chinese."""


@dataclass(frozen=True, kw_only=True)
class PowerChange:
    """The item ``code`` was added, revised or abolished (``action``) from ``effective_on`` on; ``number`` is our number of the change."""

    action: str
    code: str
    name: str
    effective_on: date
    number: str

    def write(self) -> dict[str, str]:
        return {**asdict(self), "effective_on": self.effective_on.isoformat()}


def read_receipts(raw: Mapping[str, Any]) -> dict[str, str]:
    """{system: receipt}; raises MessageError."""
    found = raw.get("receipts")
    if not isinstance(found, dict) or not all(isinstance(system, str) and isinstance(receipt, str) and receipt for system, receipt in found.items()):
        raise MessageError("权责清单联动的答复缺少 receipts")
    return dict(found)
