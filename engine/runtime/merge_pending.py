"""待合并: the folder changed and so did the page. Choose one of the two; a merged file is deployed like any other."""
from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from engine.access import audit
from engine.access.actors import Actor
from engine.kernel.errors import Conflict, NotFound
from engine.packs.library import Definition, as_definition, get_definition
from engine.packs.store import lock_content, note_change, put_in_force, raise_generation
from engine.runtime.application import Application
from engine.runtime.check_content import check_content
from engine.runtime.deploy_file import ANALYST, follow
from engine.storage.tables.content import definition, definition_current

OURS, THEIRS = "ours", "theirs"


def pending_of(connection: Connection, *, kind: str, name: str) -> tuple[Definition | None, Definition, Definition] | None:
    """(base, ours, theirs): the folder's version that the page's edit began from, what is in force, what the folder holds; None when nothing waits."""
    row = connection.execute(
        select(definition_current).where(definition_current.c.kind == kind, definition_current.c.name == name, definition_current.c.pending_definition_id.is_not(None))
    ).mappings().one_or_none()
    if row is None:
        return None
    ours, theirs = get_definition(connection, row["definition_id"]), get_definition(connection, row["pending_definition_id"])
    d = definition.c
    older = select(definition).where(d.kind == kind, d.name == name, d.source == "folder", d.version < ours.version, d.id != theirs.id).order_by(d.version.desc()).limit(1)
    base = connection.execute(older).mappings().one_or_none()
    return (as_definition(base) if base else None), ours, theirs


def choose_version(app: Application, *, actor: Actor, kind: str, name: str, which: str, theirs_id: Any, at: datetime) -> Definition:
    """Let the page's version stand (``ours``) or put the folder's into force (``theirs``); nothing waits any more.

    Raises Forbidden without the right ``analyst``, NotFound when nothing waits, Conflict when the folder has changed since the page was opened,
    DeployRefused when the folder's file doesn't fit what is in force beside it.
    """
    actor.require(ANALYST)
    with app.db.begin() as connection:
        lock_content(connection)
        found = pending_of(connection, kind=kind, name=name)
        if found is None:
            raise NotFound("没有等着合并的改动，可能别人已经处理了。")
        _, ours, theirs = found
        if theirs.id != theirs_id:
            raise Conflict("文件夹里的文件又变了，请刷新页面再比较一次。")
        chosen = ours if which == OURS else theirs
        if which == THEIRS:
            check_content(kind, name, theirs.content, lookup=lambda k, n: _content(app, k, n), compiled={})
            put_in_force(connection, theirs)
            note_change(connection, theirs, before=ours, what="merge", reason="用了文件夹里改的", by_id=actor.person_id, by_name=actor.name, at=at)
            follow(connection, theirs, at=at)
        else:
            here = (definition_current.c.kind == kind) & (definition_current.c.name == name)
            connection.execute(update(definition_current).where(here).values(pending_definition_id=None))
        raise_generation(connection)
        audit.append(connection, chain=audit.chain_of(actor), at=at, actor_id=actor.person_id, actor_name=actor.name, action="content.merge", object=f"{kind}:{name}",
                     detail={"chosen": which, "version": chosen.version, "other": (theirs if which == OURS else ours).version})
    app.library.refresh(now=True)
    return chosen


def _content(app: Application, kind: str, name: str) -> bytes | None:
    found = app.library.find_current(kind, name)
    return found.content if found else None
