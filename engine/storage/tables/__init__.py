"""SQLAlchemy Core tables by topic. ``metadata`` is what migrations compare against.

Every business table has ``district_id`` and ``unit_id``. Instants are timestamptz, legal dates are date,
money is numeric. Ids are UUIDv7 made in Python. No SQL default asks the server for the time.
"""
from __future__ import annotations

from engine.storage.tables import cases, clocks, content, documents, organisation, parties, proof, reference, registers, runtime, waiting
from engine.storage.tables.base import metadata

__all__ = ["cases", "clocks", "content", "documents", "metadata", "organisation", "parties", "proof", "reference", "registers", "runtime", "waiting"]
