"""Versions of content as the database has them: what is in force, what an id says, what a bundle pins."""
from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, select

from engine.kernel.errors import NotFound
from engine.storage.database import for_reading
from engine.storage.tables.content import bundle, content_pointer, definition, definition_current


@dataclass(frozen=True, kw_only=True)
class Definition:
    """One version of one file. ``compiled`` is normalised BPMN for processes, else None."""

    id: UUID
    kind: str
    name: str
    version: int
    title: str
    content: bytes
    compiled: bytes | None
    hash: str
    meta: Mapping[str, Any]
    source: str
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """The versions a case is pinned to: ``members`` maps ``kind:name`` to a definition id."""

    id: UUID
    root: str
    hash: str
    members: Mapping[str, UUID]

    def member(self, kind: str, name: str) -> UUID:
        try:
            return self.members[f"{kind}:{name}"]
        except KeyError:
            raise NotFound(f"办理中的版本里没有 {name}（{kind}）。") from None


class Library:
    """Reads definitions. Immutable rows are cached by id; pointers are read again when the generation moves."""

    CHECK_SECONDS = 2.0

    def __init__(self, db: Engine, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._db = db
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._generation = -1
        self._checked = float("-inf")
        self._current: dict[tuple[str, str], UUID] = {}
        self._derived: dict[str, Any] = {}
        self.definition = lru_cache(maxsize=2000)(self._read_definition)
        self._bundles: dict[UUID, Bundle] = {}

    @property
    def generation(self) -> int:
        """The generation this process has read; it only grows."""
        self.refresh()
        return self._generation

    def refresh(self, *, now: bool = False) -> None:
        """Look whether somebody deployed; at most every two seconds unless ``now``."""
        if not now and self._monotonic() - self._checked < self.CHECK_SECONDS:
            return
        with self._lock, for_reading(self._db).connect() as connection:
            generation = connection.scalar(select(content_pointer.c.generation)) or 0
            if generation != self._generation:
                rows = connection.execute(select(definition_current.c.kind, definition_current.c.name, definition_current.c.definition_id))
                self._current = {(kind, name): id for kind, name, id in rows if id is not None}
                self._derived = {}
                self._generation = generation
            self._checked = self._monotonic()

    def current(self, kind: str, name: str) -> Definition:
        """The version in force; raises NotFound."""
        found = self.find_current(kind, name)
        if found is None:
            raise NotFound(f"没有找到 {name}。")
        return found

    def find_current(self, kind: str, name: str) -> Definition | None:
        self.refresh()
        id = self._current.get((kind, name))
        return None if id is None else self.definition(id)

    def names(self, kind: str) -> list[str]:
        """Names of everything of ``kind`` that is in force."""
        self.refresh()
        return sorted(name for known, name in self._current if known == kind)

    def current_ids(self) -> dict[tuple[str, str], UUID]:
        """(kind, name) → definition id of everything in force."""
        self.refresh()
        return dict(self._current)

    def derived(self, key: str, make: Callable[[], Any]) -> Any:
        """A value computed from what is in force, kept until the next deploy."""
        self.refresh()
        derived = self._derived
        if key not in derived:
            derived[key] = make()
        return derived[key]

    def _read_definition(self, id: UUID) -> Definition:
        with for_reading(self._db).connect() as connection:
            return get_definition(connection, id)

    def bundle(self, id: UUID) -> Bundle:
        """The bundle with ``id``; bundles never change, so each is read once."""
        if id not in self._bundles:
            with for_reading(self._db).connect() as connection:
                row = connection.execute(select(bundle).where(bundle.c.id == id)).mappings().one()
            self.know(Bundle(id=row["id"], root=row["root"], hash=row["hash"], members={k: UUID(v) for k, v in row["members"].items()}))
        return self._bundles[id]

    def know(self, made: Bundle) -> None:
        """Remember a bundle that a transaction under way has just made."""
        self._bundles[made.id] = made


def get_definition(connection: Connection, id: UUID) -> Definition:
    """The definition row with ``id``; raises NotFound."""
    row = connection.execute(select(definition).where(definition.c.id == id)).mappings().one_or_none()
    if row is None:
        raise NotFound("没有这个版本。")
    return as_definition(row)


def as_definition(row: Any) -> Definition:
    """The definition in a row mapping of the table."""
    return Definition(**{name: row[name] for name in Definition.__dataclass_fields__})
