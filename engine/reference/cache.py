"""Reference data read often and changed seldom: kept per database for a short while in each process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Connection

T = TypeVar("T")
SECONDS = 30.0


class Cached(Generic[T]):
    """``get(connection, key)`` calls ``load`` at most once in thirty seconds for each key of each database.

    A database is known by its pool, which engines that differ in their options share.
    """

    def __init__(self, load: Callable[..., T], *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._load = load
        self._monotonic = monotonic
        self._kept: WeakKeyDictionary[Any, dict[Hashable, tuple[float, T]]] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def get(self, connection: Connection, key: Hashable) -> T:
        with self._lock:
            found = self._kept.get(connection.engine.pool, {}).get(key)
        if found is not None and self._monotonic() - found[0] < SECONDS:
            return found[1]
        value = self._load(connection, key)
        with self._lock:
            self._kept.setdefault(connection.engine.pool, {})[key] = (self._monotonic(), value)
        return value

    def forget(self, connection: Connection) -> None:
        """Read everything of this database again; called by whoever writes."""
        with self._lock:
            self._kept.pop(connection.engine.pool, None)
