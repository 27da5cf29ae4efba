"""Which messages processes take, and what became of one."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, exists, select

from engine.packs.library import Library
from engine.storage.tables.runtime import instance, message_inbox, subscription


@dataclass(frozen=True, kw_only=True)
class Known:
    """A node of a process in force that takes a message."""

    process: str
    title: str


def known(library: Library) -> dict[str, Known]:
    """Message name → the first node in force that catches it; read once per deploy."""

    def make() -> dict[str, Known]:
        found: dict[str, Known] = {}
        for process in library.names("process"):
            for node in library.current("process", process).meta["nodes"].values():
                event = node.get("event") or {}
                if event.get("kind") == "message" and event.get("name") and not _throws(node["kind"]):
                    found.setdefault(event["name"], Known(process=process, title=node["title"] or node["id"]))
        return found

    made: dict[str, Known] = library.derived("known_messages", make)
    return made


def _throws(kind: str) -> bool:
    return kind in ("endEvent", "intermediateThrowEvent", "sendTask")


def awaited(connection: Connection, name: str) -> bool:
    """True when a running instance waits for ``name``, be its process in force or not."""
    return bool(connection.scalar(select(exists().where(subscription.c.kind == "message", subscription.c.name == name))))


def differs(connection: Connection, *, key: str, correlation: str, payload: Mapping[str, Any]) -> bool:
    """True when ``key`` stands in the inbox for another message."""
    m = message_inbox.c
    row = connection.execute(select(m.correlation, m.payload).where(m.key == key)).one_or_none()
    return row is not None and (row.correlation != correlation or row.payload != payload)


def case_of(connection: Connection, instance_id: UUID | None) -> UUID | None:
    """The case of an instance."""
    return None if instance_id is None else connection.scalar(select(instance.c.case_id).where(instance.c.id == instance_id))
