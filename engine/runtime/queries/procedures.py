"""Procedures: versions in force and before, who made them, and how many cases run on each."""
from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from engine.kernel.errors import NotFound
from engine.runtime.queries.named import statements

SQL = statements(__file__)
Row = dict[str, Any]


def listed(connection: Connection) -> list[Row]:
    """Every process in force: name, title, version, created_at, versions, running, pending."""
    return [dict(row) for row in connection.execute(SQL["listed"]).mappings()]


def versions(connection: Connection, *, name: str) -> list[Row]:
    """Versions of a process, newest first, with the cases that run on each; raises NotFound."""
    rows = [dict(row) for row in connection.execute(SQL["versions"], {"name": name}).mappings()]
    if not rows:
        raise NotFound("没有这个流程。")
    return rows


def version_id(connection: Connection, *, name: str, version: int) -> Any:
    """The definition id of one version; raises NotFound."""
    found = connection.scalar(SQL["version_id"], {"name": name, "version": version})
    if found is None:
        raise NotFound("没有这个版本的流程图。")
    return found
