"""A submission with the rows it hangs on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert

from engine.kernel.ids import new_id
from engine.storage.tables.content import bundle, definition
from engine.storage.tables.runtime import act, instance, submission


def submit(connection: Connection, *, case_id: UUID, data: Mapping[str, Any], at: datetime) -> UUID:
    """Insert a submission of ``data`` on the case; its id."""
    ids = {name: new_id() for name in ("definition", "bundle", "instance", "act", "submission")}
    rows: list[tuple[Any, dict[str, Any]]] = [
        (
            definition,
            {
                "id": ids["definition"],
                "kind": "process",
                "name": "demo.flow",
                "version": 1,
                "content": b"",
                "hash": "h",
                "source": "folder",
                "created_at": at,
            },
        ),
        (bundle, {"id": ids["bundle"], "root": "demo.flow", "hash": str(ids["bundle"]), "members": {}, "created_at": at}),
        (
            instance,
            {
                "id": ids["instance"],
                "case_id": case_id,
                "bundle_id": ids["bundle"],
                "definition_id": ids["definition"],
                "process": "demo.flow",
                "title": "流程",
                "status": "running",
                "rev": 1,
                "state": b"",
                "started_at": at,
                "updated_at": at,
            },
        ),
        (act, {"id": ids["act"], "key": str(ids["act"]), "kind": "complete", "case_id": case_id, "actor_name": "人", "at": at}),
        (
            submission,
            {
                "id": ids["submission"],
                "case_id": case_id,
                "instance_id": ids["instance"],
                "act_id": ids["act"],
                "node": "n",
                "form": "demo.form",
                "form_hash": "h",
                "data": dict(data),
                "by_name": "人",
                "at": at,
            },
        ),
    ]
    for table, values in rows:
        connection.execute(insert(table).values(values))
    return ids["submission"]
