"""Put an earlier version of a file into force again: checked like any deploy against what is in force beside it, with a reason, on record."""
from __future__ import annotations

from datetime import datetime

from engine.access.actors import Actor
from engine.kernel.errors import Conflict, Invalid, NotFound
from engine.packs.folder import place_of
from engine.packs.library import Definition
from engine.runtime.application import Application
from engine.runtime.deploy_file import ANALYST, deploy_file
from engine.runtime.queries.versions import of_file

RETURN = "return"


def return_version(app: Application, *, actor: Actor, kind: str, name: str, version: int, reason: str, at: datetime) -> Definition:
    """Version ``version`` of ``<pack>.<name>`` for cases that start from now on; running cases keep theirs, the later versions stay on record.

    Raises Forbidden without the right ``analyst``, Invalid without a reason, NotFound, Conflict when it is in force already, DeployRefused.
    """
    actor.require(ANALYST)
    if not reason.strip():
        raise Invalid("请写为什么退回到这一版。", fields={"reason": "请写理由。"})
    with app.db.connect() as connection:
        chosen = next((row for row in of_file(connection, kind=kind, name=name) if row["version"] == version), None)
    if chosen is None:
        raise NotFound("没有这个版本。")
    if chosen["in_force"]:
        raise Conflict(f"第 {version} 版已经在用，不用退回。")
    file = place_of(kind, name).rsplit("/", 1)[-1]
    content = app.library.definition(chosen["id"]).content
    return deploy_file(app, actor=actor, kind=kind, pack=name.split(".", 1)[0], filename=file, content=content, note=reason.strip()[:500], at=at, what=RETURN)
