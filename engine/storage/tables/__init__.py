"""SQLAlchemy Core tables by topic. ``metadata`` is what migrations compare against.

Every business table has ``district_id`` and ``unit_id``. Instants are timestamptz, legal dates are date,
money is numeric. Ids are UUIDv7 made in Python. No SQL default asks the server for the time.
"""
from __future__ import annotations

import pkgutil
from importlib import import_module

from engine.storage.tables.base import metadata

for _topic in pkgutil.iter_modules(__path__):
    import_module(f"{__name__}.{_topic.name}")

__all__ = ["metadata"]
