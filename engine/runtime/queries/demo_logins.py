"""Accounts of the demo city, listed on its login page."""
from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Connection

from engine.runtime.queries.named import statements

SQL = statements(__file__)


def listed(connection: Connection, *, on: date) -> list[dict[str, Any]]:
    """Dicts of login, name, unit, post."""
    return [dict(row) for row in connection.execute(SQL["listed"], {"on": on}).mappings()]
