"""Put one changed file into force from the page: checked, versioned, on record."""
from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from engine.access import audit
from engine.access.actors import Actor
from engine.documents.pieces import readers
from engine.kernel.errors import DeployRefused, TooLarge
from engine.kernel.names import is_name
from engine.packs.folder import PLACES, SINGLE
from engine.packs.library import Definition
from engine.packs.store import NewVersion, lock_content, note_change, put_in_force, raise_generation, store_version
from engine.reference.seeding import KINDS as SEEDED
from engine.reference.seeding import seed_content
from engine.registers.declaration import parse_register
from engine.registers.tables import build_table, require_nothing_dropped
from engine.runtime.application import Application
from engine.runtime.arm_starts import arm_starts
from engine.runtime.bpmn.watchdog import guard
from engine.runtime.check_content import check_content

ANALYST = "analyst"
LIMIT = 2_000_000


def kind_of_file(filename: str, *, kind: str | None = None) -> tuple[str, str]:
    """(kind, bare name) that a file's name tells; raises DeployRefused for one that is no content."""
    stem, dot, _ = filename.rpartition(".")
    for single, file in SINGLE:
        if filename == file:
            return single, single
    fitting = [known for known, _, _, ending in PLACES if filename.endswith(ending) and (known == kind or (kind is None and known != "piece"))]
    if not dot or not fitting or (kind is None and len(fitting) > 1):
        raise DeployRefused(f"{filename} 不是可以部署的文件。流程用 .bpmn，表单用 .json，决策表用 .dmn，文书模板用 .html，台账、字典用 .yaml（并选种类）。")
    if not is_name(stem):
        raise DeployRefused(f"文件名“{stem}”要用小写英文、数字和下划线，例如 clue_handling.bpmn。")
    return fitting[0], stem


def deploy_file(
    app: Application, *, actor: Actor, pack: str, filename: str, content: bytes, note: str, at: datetime, kind: str | None = None, what: str = "deploy"
) -> Definition:
    """Check ``content`` and put it into force for cases that start from now on; running cases keep their version.

    Raises Forbidden without the right ``analyst``, TooLarge, DeployRefused with findings in Chinese. Same bytes, same version.
    """
    actor.require(ANALYST)
    if len(content) > LIMIT:
        raise TooLarge("文件超过 2 MB，没有部署。请把大图拆成几个流程，用调用活动连起来。")
    app.catalogue.pack(pack)
    found, stem = kind_of_file(filename, kind=kind)
    name = f"{pack}.{stem}"
    if found == "process":
        guard(content, name=name)
    new = check_content(found, name, content, lookup=lambda k, n: _content(app, k, n), compiled={})
    _require_references(app, new)
    _require_readers(app, new)
    with app.db.begin() as connection:
        lock_content(connection)
        before = app.library.find_current(found, name)
        if before is not None and found == "register":
            require_nothing_dropped(connection, before=parse_register(before.content, name=name), after=parse_register(new.content, name=name))
        version = store_version(connection, new, source="page", by=actor.person_id, at=at, note=note)
        note_change(connection, version, before=before, what=what, reason=note, by_id=actor.person_id, by_name=actor.name, at=at)
        put_in_force(connection, version)
        follow(connection, version, at=at)
        raise_generation(connection)
        audit.append(connection, chain=audit.chain_of(actor), at=at, actor_id=actor.person_id, actor_name=actor.name, action=f"content.{what}",
                     object=f"{found}:{name}", detail={"version": version.version, "hash": version.hash, "note": note})
    app.library.refresh(now=True)
    return version


def _require_references(app: Application, new: NewVersion) -> None:
    """Refuse a process that names a handler, form, document, decision or role that isn't there."""
    named = (new.meta or {}).get("references", {})
    known = {"form": "表单", "document": "文书", "decision": "决策表"}
    missing = [("处理程序", name) for name in named.get("handler", ()) if name not in app.service_tasks]
    missing += [(title, name) for kind, title in known.items() for name in named.get(kind, ()) if app.library.find_current(kind, name) is None]
    roles = {role.name for role in app.catalogue.roles()}
    missing += [("角色", name) for name in named.get("role", ()) if name not in roles]
    if missing:
        findings = [{"element": name, "rule": "references", "message": f"{what} {name} 不存在，请改正名字，或先发布它。"} for what, name in missing]
        raise DeployRefused(f"流程图用到了 {len(findings)} 处不存在的内容：{findings[0]['message']}", findings=findings)


def _require_readers(app: Application, new: NewVersion) -> None:
    """Refuse a piece with which a document that includes it would no longer hold."""
    if new.kind == "piece":
        documents = [(name, app.library.current("document", name).content) for name in app.library.names("document")]
        for name, content in readers(new.name, documents):
            check_content("document", name, content, lookup=lambda k, n: new.content if (k, n) == ("piece", new.name) else _content(app, k, n), compiled={})


def _content(app: Application, kind: str, name: str) -> bytes | None:
    found = app.library.find_current(kind, name)
    return found.content if found else None


def follow(connection: Connection, version: Definition, *, at: datetime) -> None:
    """What else a version changes: a register's table, a dictionary's rows, the start events that wait."""
    if version.kind == "process":
        arm_starts(connection, version, at=at)
    elif version.kind == "register":
        build_table(connection, parse_register(version.content, name=version.name))
    elif version.kind in SEEDED:
        seed_content(connection, kind=version.kind, name=version.name, content=version.content)
