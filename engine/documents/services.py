"""The part of the application that documents need; ``Application`` has this shape."""
from __future__ import annotations

from typing import Any, Protocol

from sqlalchemy import Connection, Engine

from engine.kernel.clock import Clock
from engine.kernel.gm.keyring import KeyRing
from engine.kernel.settings import Settings
from engine.packs.catalogue import Catalogue
from engine.packs.library import Library
from engine.storage.blobs import BlobStore


class Jobs(Protocol):
    """Puts a job into the caller's transaction."""

    def defer(self, connection: Connection, task: str, *, queueing_lock: str | None = None, **arguments: Any) -> Any: ...


class Services(Protocol):
    """Storage, keys, content, clock and queue."""

    @property
    def settings(self) -> Settings: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def db(self) -> Engine: ...

    @property
    def blobs(self) -> BlobStore: ...

    @property
    def jobs(self) -> Jobs: ...

    @property
    def keys(self) -> KeyRing: ...

    @property
    def library(self) -> Library: ...

    @property
    def catalogue(self) -> Catalogue: ...
