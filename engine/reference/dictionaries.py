"""Dictionaries: codes with Chinese titles, from packs and administrators. An entry is ended, never deleted.

A stored value keeps code and title of its time (``stored``); a form offers what is in force on the day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert

from engine.kernel.errors import Invalid, NotFound
from engine.kernel.ids import new_id
from engine.reference import pinyin
from engine.reference.cache import Cached
from engine.storage.tables.reference import dictionary_entry


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry. ``parent`` is a code of the dictionary that the form's field names as parent."""

    code: str
    title: str
    parent: str | None = None
    pinyin: str = ""
    detail: Mapping[str, Any] | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    active: bool = True

    def in_force(self, on: date) -> bool:
        return self.active and (self.valid_from is None or self.valid_from <= on) and (self.valid_until is None or on <= self.valid_until)


@dataclass(frozen=True)
class Dictionary:
    """All entries of one dictionary in the order shown, ended ones too."""

    name: str
    entries: Mapping[str, Entry]

    def find(self, code: str) -> Entry | None:
        return self.entries.get(code)

    def get(self, code: str, *, on: date | None = None) -> Entry:
        """The entry; raises Invalid when unknown or, with ``on``, not in force that day."""
        entry = self.entries.get(code)
        if entry is None or (on is not None and not entry.in_force(on)):
            raise Invalid(f"“{code}”不在可选范围内，请重新选择。", code="not_in_dictionary", dictionary=self.name)
        return entry

    def title(self, code: str) -> str:
        """The title of a code; the code itself when there is no such entry."""
        entry = self.entries.get(code)
        return code if entry is None else entry.title

    def detail(self, code: str, key: str) -> Any:
        """A value of an entry's detail; None when there is none."""
        entry = self.entries.get(code)
        return None if entry is None or entry.detail is None else entry.detail.get(key)

    def options(self, *, on: date, parent: str | None = None) -> list[Entry]:
        """What a form offers on ``on``; below ``parent`` only, when the field cascades."""
        return [entry for entry in self.entries.values() if entry.in_force(on) and (parent is None or entry.parent == parent)]

    def search(self, text: str, *, on: date, parent: str | None = None, limit: int = 20) -> list[Entry]:
        """Options by part of the title, by pinyin or by its initials; those whose title starts so come first."""
        found = [entry for entry in self.options(on=on, parent=parent) if pinyin.matches(text, title=entry.title, key=entry.pinyin)]
        return sorted(found, key=lambda entry: not entry.title.startswith(text.strip()))[:limit]

    def stored(self, code: str, *, on: date) -> dict[str, str]:
        """What a form keeps of a choice: code and title of its time. Raises Invalid."""
        return {"code": code, "title": self.get(code, on=on).title}


def load_dictionary(connection: Connection, *, dictionary: str) -> Dictionary:
    """The dictionary ``<pack>.<name>``; cached. Raises NotFound when it has no entries."""
    loaded = _dictionaries.get(connection, dictionary)
    if not loaded.entries:
        raise NotFound(f"没有字典 {dictionary}。")
    return loaded


def _read(connection: Connection, name: str) -> Dictionary:
    e = dictionary_entry.c
    rows = connection.execute(select(dictionary_entry).where(e.dictionary == name).order_by(e.rank, e.code))
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


def end_entry(connection: Connection, *, dictionary: str, code: str, last_day: date) -> None:
    """Stop offering an entry after ``last_day``; stored values keep it. Raises NotFound."""
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
