"""Bundles: the versions that a case is pinned to when it starts, closed over ``uses``."""
from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from engine.kernel.errors import NotFound
from engine.kernel.gm import sm3_hex
from engine.kernel.ids import new_id
from engine.kernel.names import pack_of
from engine.packs.library import Bundle
from engine.runtime.application import Application
from engine.runtime.bpmn.deploy import CompiledProcess, compile_process
from engine.storage.tables.content import bundle

PINNED = ("process", "form", "decision", "document", "piece")


def bundle_for(app: Application, connection: Connection, *, process: str, at: datetime) -> Bundle:
    """The bundle of what is in force now for a case that starts with ``process``; made at first need."""
    members = members_in_force(app, process)
    digest = sm3_hex("\n".join([process, *(f"{name}={id}" for name, id in sorted(members.items()))]).encode())
    found = connection.scalar(select(bundle.c.id).where(bundle.c.hash == digest))
    if found is None:
        values = {"id": new_id(), "root": process, "hash": digest, "members": {k: str(v) for k, v in members.items()}, "created_at": at}
        connection.execute(insert(bundle).values(values).on_conflict_do_nothing(index_elements=["hash"]))
        found = connection.scalar(select(bundle.c.id).where(bundle.c.hash == digest))
    assert found is not None
    made = Bundle(id=found, root=process, hash=digest, members=members)
    app.library.know(made)
    return made


def members_in_force(app: Application, process: str) -> dict[str, UUID]:
    """``kind:name`` → definition id of everything that ``process`` can reach."""

    def make() -> dict[str, UUID]:
        packs = {*app.catalogue.closure(pack_of(process)), "common"}
        return {f"{kind}:{name}": id for (kind, name), id in app.library.current_ids().items() if kind in PINNED and pack_of(name) in packs}

    members: dict[str, UUID] = app.library.derived(f"members:{pack_of(process)}", make)
    return members


def compiled(app: Application, pinned: Bundle, name: str) -> CompiledProcess | None:
    """The compiled process ``name`` as pinned, or None when the bundle doesn't hold it."""
    id = pinned.members.get(f"process:{name}")
    if id is None:
        return None
    key = ("compiled", id, pinned.hash)
    if key not in app.cache:
        app.cache[key] = compile_process(app.library.definition(id).content, name=name, resolve=lambda called: compiled(app, pinned, called))
    made: CompiledProcess = app.cache[key]
    return made


def process_for(app: Application, pinned: Bundle, name: str) -> CompiledProcess:
    """Like ``compiled``; raises NotFound when the bundle doesn't hold the process."""
    found = compiled(app, pinned, name)
    if found is None:
        raise NotFound(f"办理中的版本里没有流程 {name}，请联系流程管理员。")
    return found
