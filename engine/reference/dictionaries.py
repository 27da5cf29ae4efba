"""Dictionaries: codes with Chinese titles, from packs and administrators. An entry is ended, never deleted.

A stored value keeps code and title of its time (``stored``); a form offers what is in force on the day. An administrator may give an
entry other words and detail from a day on: a case sees those of the day on which it was opened.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, func, select, update
from sqlalchemy.dialects.postgresql import insert

from engine.kernel.errors import Invalid, NotFound
from engine.kernel.ids import new_id
from engine.reference import pinyin
from engine.reference.cache import Cached
from engine.storage.tables.organisation import person
from engine.storage.tables.reference import dictionary_entry, dictionary_version

ALIASES = "aliases"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry. ``parent`` is a code of the dictionary that the form's field names as parent; ``versions`` are what its words and
    detail become, each from its ``valid_from`` on, oldest first."""

    code: str
    title: str
    parent: str | None = None
    pinyin: str = ""
    detail: Mapping[str, Any] | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    active: bool = True
    versions: tuple[Entry, ...] = ()

    def as_of(self, day: date | None) -> Entry:
        """With the words and the detail of ``day``; without a day as it began."""
        held = [one for one in self.versions if day is not None and one.valid_from is not None and one.valid_from <= day]
        if not held:
            return self
        last = held[-1]
        return replace(self, title=last.title, pinyin=last.pinyin, parent=last.parent, detail=last.detail)

    @property
    def former(self) -> list[str]:
        """Codes that it used to have: ``detail.aliases`` of every time."""
        return [str(code) for one in (self, *self.versions) for code in (one.detail or {}).get(ALIASES) or ()]

    def in_force(self, on: date) -> bool:
        return self.active and (self.valid_from is None or self.valid_from <= on) and (self.valid_until is None or on <= self.valid_until)


@dataclass(frozen=True)
class Dictionary:
    """All entries of one dictionary in the order shown, ended ones too."""

    name: str
    entries: Mapping[str, Entry]

    @cached_property
    def _aliases(self) -> Mapping[str, str]:
        """Former code → code; a code in use is nobody's former one."""
        found: dict[str, str] = {}
        for code, entry in self.entries.items():
            found |= {former: code for former in entry.former if former not in found}
        return {former: code for former, code in found.items() if former not in self.entries}

    def _entry(self, code: str) -> Entry | None:
        return self.entries.get(code) or self.entries.get(self._aliases.get(code, ""))

    def find(self, code: str, *, as_of: date | None = None) -> Entry | None:
        """The entry of a code, or of a code that it used to have; None when there is none."""
        entry = self._entry(code)
        return None if entry is None else entry.as_of(as_of)

    def get(self, code: str, *, on: date | None = None) -> Entry:
        """The entry; raises Invalid when unknown or, with ``on``, not in force that day."""
        entry = self._entry(code)
        if entry is None or (on is not None and not entry.in_force(on)):
            raise Invalid(f"“{code}”不在可选范围内，请重新选择。", code="not_in_dictionary", dictionary=self.name)
        return entry

    def title(self, code: str, *, as_of: date | None = None) -> str:
        """The title of a code; the code itself when there is no such entry."""
        entry = self.find(code, as_of=as_of)
        return code if entry is None else entry.title

    def detail(self, code: str, key: str, *, as_of: date | None = None) -> Any:
        """A value of an entry's detail; None when there is none."""
        entry = self.find(code, as_of=as_of)
        return None if entry is None or entry.detail is None else entry.detail.get(key)

    def options(self, *, on: date, parent: str | None = None, since: date | None = None) -> list[Entry]:
        """What a form offers on ``on``; below ``parent`` only, when the field cascades.

        In a case opened on ``since`` what was in force then is offered too, and everything reads as it did then.
        """
        then = since or on
        found = (entry.as_of(then) for entry in self.entries.values() if entry.in_force(on) or (since is not None and entry.in_force(since)))
        above = None if parent is None else self._aliases.get(parent, parent)
        return [entry for entry in found if above is None or entry.parent == above]

    def search(self, text: str, *, on: date, parent: str | None = None, since: date | None = None, limit: int = 20) -> list[Entry]:
        """Options by part of the title, by pinyin or by its initials; those whose title starts so come first."""
        found = [entry for entry in self.options(on=on, parent=parent, since=since) if pinyin.matches(text, title=entry.title, key=entry.pinyin)]
        return sorted(found, key=lambda entry: not entry.title.startswith(text.strip()))[:limit]

    def stored(self, code: str, *, on: date) -> dict[str, str]:
        """What a form keeps of a choice: code and title of its time, a former code as today's. Raises Invalid."""
        entry = self.get(code, on=on)
        return {"code": entry.code, "title": entry.title}


def load_dictionary(connection: Connection, *, dictionary: str) -> Dictionary:
    """The dictionary ``<pack>.<name>``; cached. Raises NotFound when it has no entries."""
    loaded = _dictionaries.get(connection, dictionary)
    if not loaded.entries:
        raise NotFound(f"没有字典 {dictionary}。")
    return loaded


def _read(connection: Connection, name: str) -> Dictionary:
    e = dictionary_entry.c
    rows = connection.execute(select(dictionary_entry).where(e.dictionary == name).order_by(e.rank, e.code))
    versions: dict[str, list[Entry]] = {}
    v = dictionary_version.c
    for row in connection.execute(select(dictionary_version).where(v.dictionary == name).order_by(v.code, v.valid_from)):
        versions.setdefault(row.code, []).append(Entry(
            code=row.code, title=row.title, parent=row.parent_code, pinyin=pinyin.pinyin_key(row.title), detail=row.detail, valid_from=row.valid_from,
        ))
    entries = {
        row.code: Entry(
            code=row.code,
            title=row.title,
            parent=row.parent_code,
            pinyin=row.pinyin,
            detail=row.detail,
            valid_from=row.valid_from,
            valid_until=row.valid_until,
            active=row.active,
            versions=tuple(versions.get(row.code, ())),
        )
        for row in rows
    }
    return Dictionary(name=name, entries=entries)


_dictionaries = Cached(_read)


def dictionary_names(connection: Connection) -> list[str]:
    """Names of all dictionaries that have entries."""
    return sorted(connection.execute(select(dictionary_entry.c.dictionary).distinct()).scalars())


def seed_dictionary(connection: Connection, *, dictionary: str, entries: Sequence[Mapping[str, Any]]) -> None:
    """Bring the entries of a pack's YAML in: new ones are added, known ones take the file's words, missing ones are ended.

    Each entry is ``{code, title, parent?, detail?, from?, until?}``; what administrators added or ended stays so.
    """
    rows = [_seed_row(dictionary, rank, entry) for rank, entry in enumerate(entries)]
    if len({row["code"] for row in rows}) < len(rows):
        raise Invalid(f"字典 {dictionary} 有重复的代码。")
    e = dictionary_entry.c
    mine = (e.dictionary == dictionary) & e.detail["origin"].astext.is_distinct_from("page")
    connection.execute(update(dictionary_entry).where(mine, e.code.not_in([row["code"] for row in rows])).values(active=False))
    if rows:
        statement = insert(dictionary_entry).values(rows)
        new = statement.excluded
        words = ("title", "parent_code", "pinyin", "rank", "detail", "valid_from", "active")
        changed = {name: new[name] for name in words} | {"valid_until": func.coalesce(new["valid_until"], e.valid_until)}
        connection.execute(statement.on_conflict_do_update(index_elements=["dictionary", "code"], set_=changed))
    _dictionaries.forget(connection)


def _seed_row(dictionary: str, rank: int, entry: Mapping[str, Any]) -> dict[str, Any]:
    title = str(entry["title"])
    return {
        "id": new_id(),
        "dictionary": dictionary,
        "code": str(entry["code"]),
        "title": title,
        "pinyin": pinyin.pinyin_key(title),
        "rank": rank,
        "parent_code": str(entry["parent"]) if entry.get("parent") is not None else None,
        "detail": entry.get("detail"),
        "valid_from": entry.get("from"),
        "valid_until": entry.get("until"),
        "active": True,
    }


def add_entry(
    connection: Connection,
    *,
    dictionary: str,
    code: str,
    title: str,
    parent: str | None = None,
    detail: Mapping[str, Any] | None = None,
    valid_from: date | None = None,
) -> UUID:
    """An administrator's entry, after the others; raises Invalid when the code is taken."""
    known = _read(connection, dictionary)
    if not code.strip() or not title.strip() or code in known.entries:
        raise Invalid("代码或名称不合要求，或代码已被使用。", fields={"code": "请换一个代码。"})
    row = _seed_row(dictionary, len(known.entries), {"code": code, "title": title, "parent": parent, "from": valid_from})
    row["detail"] = {**(detail or {}), "origin": "page"}
    connection.execute(insert(dictionary_entry).values(row))
    _dictionaries.forget(connection)
    id: UUID = row["id"]
    return id


def add_version(
    connection: Connection, *, dictionary: str, code: str, title: str, parent: str | None, detail: Mapping[str, Any] | None, valid_from: date, source: str,
    by_id: UUID, at: datetime,
) -> None:
    """Other words and detail of an entry, for cases opened from ``valid_from`` on; a version of the same day is replaced."""
    values = {"title": title, "parent_code": parent, "detail": dict(detail or {}), "source": source, "by_id": by_id, "at": at}
    row = {"id": new_id(), "dictionary": dictionary, "code": code, "valid_from": valid_from, **values}
    connection.execute(insert(dictionary_version).values(row).on_conflict_do_update(index_elements=["dictionary", "code", "valid_from"], set_=values))
    _dictionaries.forget(connection)


def versions_of(connection: Connection, *, dictionary: str, code: str) -> list[Row[Any]]:
    """The versions of an entry with law, person and time, newest first."""
    v = dictionary_version.c
    chosen = select(dictionary_version, person.c.name.label("by_name")).outerjoin(person, person.c.id == v.by_id)
    return list(connection.execute(chosen.where(v.dictionary == dictionary, v.code == code).order_by(v.valid_from.desc())))


def end_entry(connection: Connection, *, dictionary: str, code: str, last_day: date | None) -> None:
    """Stop offering an entry after ``last_day``, or (None) offer it on; stored values keep it. Raises NotFound."""
    e = dictionary_entry.c
    if not connection.execute(
        update(dictionary_entry).where(e.dictionary == dictionary, e.code == code).values(valid_until=last_day)
    ).rowcount:
        raise NotFound("字典里没有这一项。")
    _dictionaries.forget(connection)


def titles(connection: Connection, *, dictionary: str, codes: Iterable[str]) -> list[str]:
    """Titles of several codes, for lists and prints."""
    loaded = _dictionaries.get(connection, dictionary)
    return [loaded.title(code) for code in codes]
