"""Bringing packs' reference data into the database: at start and with every deploy."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from engine.kernel.errors import DeployRefused, Invalid
from engine.packs.folder import place_of
from engine.packs.library import Library
from engine.packs.yaml import read_yaml
from engine.reference.calendars import seed_calendar
from engine.reference.dictionaries import seed_dictionary
from engine.reference.parameters import seed_parameters

KINDS = ("dictionary", "parameters")
_LOCK = 0x67636E67_72656600


def seed_content(connection: Connection, *, kind: str, name: str, content: bytes) -> None:
    """Bring one file in: kind ``dictionary`` (name ``<pack>.<dictionary>``) or ``parameters`` (name ``<pack>.parameters``).

    Raises DeployRefused naming the file.
    """
    file = place_of(kind, name)
    read = read_yaml(content, file=file) or {}
    try:
        if kind == "dictionary":
            seed_dictionary(connection, dictionary=name, entries=_entries(read, file))
        else:
            seed_parameters(connection, pack=name.split(".", 1)[0], content=_mapping(read, file))
    except Invalid as error:
        raise DeployRefused(f"{file}：{error.message}") from None


def seed_library(connection: Connection, library: Library) -> None:
    """Bring in the calendar and everything of ours that is in force in the library; one process at a time."""
    connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    seed_calendar(connection)
    for kind in KINDS:
        for name in library.names(kind):
            seed_content(connection, kind=kind, name=name, content=library.current(kind, name).content)


def seed_common(connection: Connection, *, root: Path) -> None:
    """Bring in the shared dictionaries of ``forms/common/dictionaries`` as ``common.<name>``."""
    for path in sorted((root / "forms" / "common" / "dictionaries").glob("*.yaml")):
        file = f"forms/common/dictionaries/{path.name}"
        entries = _entries(read_yaml(path.read_bytes(), file=file) or {}, file)
        seed_dictionary(connection, dictionary=f"common.{path.stem}", entries=entries)


def _entries(read: Any, file: str) -> list[dict[str, Any]]:
    entries = _mapping(read, file).get("entries")
    if not isinstance(entries, list) or not all(isinstance(e, dict) and "code" in e and e.get("title") for e in entries):
        raise DeployRefused(f"{file} 的 entries 应是列表，每项有 code 和 title。")
    for entry in entries:
        for key in ("from", "until"):
            if entry.get(key) is not None and not isinstance(entry[key], date):
                raise DeployRefused(f"{file} 中 {entry['code']} 的 {key} 应是日期，如 2021-07-15。")
    return entries


def _mapping(read: Any, file: str) -> dict[str, Any]:
    if not isinstance(read, dict):
        raise DeployRefused(f"{file} 应是“名称: 内容”的结构。")
    return read
