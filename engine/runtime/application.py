"""The assembled application: every service that acts, pages and jobs need, filled by engine.assembly."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine

from engine.kernel.clock import Clock
from engine.kernel.gm.keyring import KeyRing
from engine.kernel.registry import Registry
from engine.kernel.settings import Settings
from engine.packs.catalogue import Catalogue, catalogue_of
from engine.packs.library import Library
from engine.runtime.handlers import ConnectorFactory, ServiceTask
from engine.storage.blobs import BlobStore
from engine.storage.jobs import JobQueue


@dataclass(kw_only=True)
class Application:
    """One per process. Registries are closed when the application is handed out."""

    settings: Settings
    clock: Clock
    db: Engine
    blobs: BlobStore
    jobs: JobQueue
    keys: KeyRing
    library: Library
    service_tasks: Registry[ServiceTask]
    connectors: Registry[ConnectorFactory]
    cache: dict[Any, Any] = field(default_factory=dict)

    @property
    def catalogue(self) -> Catalogue:
        """Manifests in force."""
        return catalogue_of(self.library)

    def connector(self, name: str) -> Any:
        """The client of integrations/<name>, configured from the data folder."""
        return self.connectors.get(name).open(self.settings)

    def describe(self) -> Mapping[str, int]:
        """Counts that start-up prints."""
        return {"packs": len(self.catalogue.packs), "service_tasks": len(self.service_tasks), "connectors": len(self.connectors)}
