"""SQLAlchemy Core tables by topic. ``metadata`` is what migrations compare against.

Every business table has ``district_id`` and ``unit_id``. Instants are timestamptz, legal dates are date,
money is numeric. Ids are UUIDv7 made in Python. No SQL default asks the server for the time.
"""
from __future__ import annotations

from engine.storage.tables import cases, content, documents, organisation, reference, registers, runtime
from engine.storage.tables.base import metadata

__all__ = ["cases", "content", "documents", "metadata", "organisation", "reference", "registers", "runtime"]
