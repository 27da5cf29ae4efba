"""The real-name check as the platform asks it; whoever answers is a connector of that name."""
from __future__ import annotations

from typing import Protocol


class Challenge(Protocol):
    """A check that has begun. ``hint`` says where the code went."""

    number: str
    hint: str


class Verdict(Protocol):
    """What came of a check; ``reason`` in Chinese when it was not passed, ``receipt`` as proof when it was."""

    passed: bool
    reason: str
    receipt: str


class RealName(Protocol):
    """Checks people against the authorities' own data. Every call raises TryAgain when there is no answer."""

    title: str

    def begin(self, *, name: str, identifier_kind: str, identifier: str, phone: str) -> Challenge:
        """Send a code to the person's telephone."""
        ...

    def confirm(self, number: str, code: str) -> Verdict:
        """The verdict on the person of challenge ``number``."""
        ...

    def represents(self, *, name: str, identifier: str, organisation: str, credit_code: str) -> Verdict:
        """Whether the person is the 法定代表人 of the enterprise."""
        ...
