"""At start the folders are looked at once: what changed there becomes a version, unless the page has changed it too.

A file that somebody edited from the page waits as 待合并 when the folder changes as well; nothing is overwritten.
"""
from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from engine.access.assignment import seed_role_holders
from engine.documents.pieces import readers
from engine.kernel.errors import DeployRefused, GuichengError
from engine.packs.folder import ContentFile, common_forms, content_files, pack_names
from engine.packs.manifest import parse_manifest
from engine.packs.store import NewVersion, leave_pending, lock_content, put_in_force, raise_generation, store_version, withdraw_from_force
from engine.reference.calendars import seed_calendar
from engine.reference.seeding import seed_common
from engine.runtime.application import Application
from engine.runtime.arm_starts import disarm_starts
from engine.runtime.check_content import check_content, finding_of
from engine.runtime.deploy_file import follow
from engine.storage.tables.content import definition, definition_current

ORDER = ("manifest", "dictionary", "parameters", "decision", "register", "statistic", "form", "piece", "document", "process", "assessment", "graph", "report", "page")


@dataclass
class Synced:
    """Names that came into force, wait as 待合并, or left."""

    changed: list[str] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)


def sync_folders(app: Application, *, at: datetime) -> Synced:
    """Bring the database in line with the folders in one transaction; raises DeployRefused with the findings of every bad file."""
    files = {(f.kind, f.name): f for f in _files(app.settings.content_root, app.settings.only_packs)}
    result = Synced()
    with app.db.begin() as connection:
        lock_content(connection)
        current = _current(connection)
        fresh = {key: f.content for key, f in files.items() if current.get(key, {}).get("folder_content") != f.content}
        gone = [key for key, row in current.items() if key not in files and row["source"] == "folder" and row["folder_hash"]]
        if not fresh and not gone:
            return result
        contents = {**{key: row["content"] for key, row in current.items()}, **{key: f.content for key, f in files.items()}}
        for new in _checked(fresh, contents):
            _store(connection, new, current.get((new.kind, new.name)), at, result)
        for kind, name in gone:
            withdraw_from_force(connection, kind, name)
            if kind == "process":
                disarm_starts(connection, name)
            result.gone.append(f"{kind}:{name}")
        seed_calendar(connection)
        seed_common(connection, root=app.settings.content_root)
        raise_generation(connection)
    app.library.refresh(now=True)
    return result


def _files(root: Path, only: tuple[str, ...] | None) -> list[ContentFile]:
    packs = [pack for pack in pack_names(root) if only is None or pack in only]
    return [*common_forms(root), *(f for pack in packs for f in content_files(root, pack))]


def _current(connection: Connection) -> dict[tuple[str, str], dict[str, Any]]:
    rows = connection.execute(
        select(definition, definition_current.c.folder_hash).join(definition_current, definition_current.c.definition_id == definition.c.id)
    ).mappings()
    current = {(row["kind"], row["name"]): dict(row) for row in rows}
    hashes = {row["folder_hash"]: key for key, row in current.items() if row["folder_hash"]}
    for hash, content in connection.execute(select(definition.c.hash, definition.c.content).where(definition.c.hash.in_(list(hashes)))):
        current[hashes[hash]]["folder_content"] = content
    return current


def _checked(fresh: dict[tuple[str, str], bytes], contents: dict[tuple[str, str], bytes]) -> list[NewVersion]:
    """Every changed file and every process that may call a changed one, checked; all findings at once."""
    compiled: dict[str, Any] = {}
    versions, findings = [], []
    for kind, name in sorted(fresh, key=lambda key: (ORDER.index(key[0]), key[1])):
        try:
            versions.append(check_content(kind, name, fresh[kind, name], lookup=lambda k, n: contents.get((k, n)), compiled=compiled))
        except GuichengError as error:
            findings += [{**found, "file": f"{kind}:{name}"} for found in finding_of(name, error)]
    for kind, name in fresh:
        if kind == "piece":
            findings += _readers_of(name, fresh, contents)
    refused = [f for f in findings if f.get("level", "error") != "warning"]
    if refused:
        lines = "；".join(f"{f['file']} {f['element']}：{f['message']}" for f in refused[:10])
        raise DeployRefused(f"内容文件有 {len(refused)} 处不合要求，没有启用：{lines}", findings=findings)
    return versions


def _readers_of(piece: str, fresh: dict[tuple[str, str], bytes], contents: dict[tuple[str, str], bytes]) -> list[dict[str, Any]]:
    """What a changed piece breaks in the documents that include it and did not change themselves."""
    found: list[dict[str, Any]] = []
    documents = [(name, content) for (kind, name), content in contents.items() if kind == "document" and (kind, name) not in fresh]
    for name, content in readers(piece, documents):
        try:
            check_content("document", name, content, lookup=lambda k, n: contents.get((k, n)), compiled={})
        except GuichengError as error:
            found += [{**one, "file": f"document:{name}"} for one in finding_of(name, error)]
    return found


def _store(connection: Connection, new: NewVersion, now: dict[str, Any] | None, at: datetime, result: Synced) -> None:
    version = store_version(connection, new, source="folder", by=None, at=at)
    label = f"{new.kind}:{new.name}"
    if now is not None and now["source"] == "page" and now["hash"] != version.hash:
        leave_pending(connection, version, folder_hash=version.hash)
        result.pending.append(label)
        return
    put_in_force(connection, version, folder_hash=version.hash)
    follow(connection, version, at=at)
    if new.kind == "manifest":
        pack = new.name.split(".", 1)[0]
        seed_role_holders(connection, roles=parse_manifest(new.content, pack=pack).roles.values())
    result.changed.append(label)
