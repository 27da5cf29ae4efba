"""What the page knows and a form does not: dictionaries, names, parties, attachments, phrases, addresses of endpoints."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from engine.kernel.clock import legal_date


@dataclass(frozen=True, kw_only=True)
class Option:
    """One entry of a dictionary. ``pinyin`` holds initials and full spelling, for search."""

    code: str
    title: str
    parent: str | None = None
    pinyin: str = ""
    active: bool = True


@dataclass(frozen=True, kw_only=True)
class AttachmentMeta:
    """What the server holds about an uploaded file."""

    id: str
    name: str
    content_type: str
    size: int
    caption: str = ""
    thumbnail: bool = False
    at: datetime | None = None
    field: str = ""


@dataclass(frozen=True, kw_only=True)
class HeldFile:
    """A file of a register's record: in which field (with its ``title``), or ``gone`` from there and still kept."""

    meta: AttachmentMeta
    field: str
    title: str
    gone: bool = False


@dataclass(frozen=True, kw_only=True)
class Prefilled:
    """A value the platform already has, and in a few words where it comes from."""

    value: Any
    source: str


def _nothing(*_: Any) -> None:
    return None


def _yes(*_: Any) -> bool:
    return True


def _none(*_: Any) -> Sequence[Any]:
    return ()


def _no_address(name: str, **_: str) -> str:
    return f"#{name}"


@dataclass(frozen=True, kw_only=True)
class FormContext:
    """Callables and values that the web layer, the API or a test gives to the renderer and the validator.

    at            the instant of the act
    known         values the server holds for this form; the only source of fields that may not be written
    origins       field → where its value was taken from, for values that the officer has not typed
    names         further names for FEEL: the facts visible at the node, ``outcome``, ``case``, the functions ``detail`` and
                  ``parameter`` as Python callables; ``today`` is always there
    options       (dictionary, parent code or None) → entries in force, in their order
    option        (dictionary, code) → the entry, also one no longer in force, or None
    person, unit  id → name, or None when there is none
    agency        id of a unit → whether it belongs to the bureau that handles the case
    unit_fits     (id of a unit, within, id of a unit or None, kinds) → whether it is of the line of the case (``within`` is
                  ``bureau``), at or below that unit, of one of the kinds; what is empty asks nothing
    holds_role    (id of a person, role, id of a unit or None) → whether the person holds the role there today
    case          id → title of a case that this person may see, or None
    record        (register, id) → what its register calls a record that this person may see, or None
    record_files  (register, id) → files of a record that this person may see, those that were taken out of it last
    party         id of a known party → its value, or None
    attachment    id → meta, or None when there is none that this person may use here
    phrases       () → frequently used opinions of this person
    prefill       an x-gc.prefill expression → what the platform has, or None
    url           (name, **values) → address; names: live, options, people, units, cases, records, parties, phrases,
                  upload, attachment, thumbnail, locate, nearest
    """

    at: datetime
    known: Mapping[str, Any] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, Any] = field(default_factory=dict)
    options: Callable[[str, str | None], Sequence[Option]] = _none
    option: Callable[[str, str], Option | None] = _nothing
    person: Callable[[str], str | None] = _nothing
    unit: Callable[[str], str | None] = _nothing
    agency: Callable[[str], bool] = _yes
    unit_fits: Callable[[str, str, str | None, Sequence[str]], bool] = _yes
    holds_role: Callable[[str, str, str | None], bool] = _yes
    case: Callable[[str], str | None] = _nothing
    record: Callable[[str, str], str | None] = _nothing
    record_files: Callable[[str, str], Sequence[HeldFile]] = _none
    party: Callable[[str], Mapping[str, Any] | None] = _nothing
    attachment: Callable[[str], AttachmentMeta | None] = _nothing
    phrases: Callable[[], Sequence[str]] = _none
    prefill: Callable[[str], Prefilled | None] = _nothing
    url: Callable[..., str] = _no_address

    def place(self, gc: Mapping[str, Any]) -> str | None:
        """The id of the unit that the fact named by ``x-gc.in`` holds, None when the field says none or the fact is empty."""
        found = self.names.get(str(gc["in"])) if gc.get("in") else None
        return str(found) if found else None

    @property
    def today(self) -> date:
        return legal_date(self.at)
