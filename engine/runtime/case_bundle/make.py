"""The export of a case: asked for with a reason by who may, made by the worker, noted in the trail, offered in a notice."""
from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, insert, select, update

from engine.access.actors import LEADER_POSTS, Actor
from engine.access.audit import note
from engine.access.guarding import anchor_now
from engine.access.notices import NewNotice, send_notices
from engine.access.scope import require_case
from engine.kernel.errors import Forbidden, Invalid, NotFound
from engine.kernel.ids import new_id
from engine.registers.catalogue import registers_of
from engine.registers.granted import for_reader
from engine.runtime.answers import form_of
from engine.runtime.application import Application
from engine.runtime.case_bundle.collect import Collector
from engine.runtime.case_bundle.write import write_bundle
from engine.runtime.form_grants import held_back
from engine.runtime.job_names import CASE_BUNDLE
from engine.storage.tables.cases import case_file
from engine.storage.tables.proof import case_bundle
from engine.storage.tables.registers import record_history
from engine.storage.tables.runtime import act, instance, submission

EXPORT, REVEAL = "export", "reveal"


def may_export(actor: Actor) -> bool:
    """Heads of units and people with the right."""
    return EXPORT in actor.rights or actor.post_code in LEADER_POSTS


def may_reveal(actor: Actor) -> bool:
    """Who may take secret answers out along with it."""
    return REVEAL in actor.rights or actor.post_code in LEADER_POSTS


def request_bundle(app: Application, *, actor: Actor, case_id: UUID, reason: str, revealed: bool, at: datetime) -> UUID:
    """Order the export; its id. Raises NotFound, Forbidden, Invalid without a reason."""
    reason = reason.strip()
    with app.db.begin() as connection:
        require_case(connection, actor, case_id)
        if not may_export(actor) or (revealed and not may_reveal(actor)):
            raise Forbidden("导出案件要有“导出案件”的权限，由单位负责人办理或联系管理员。")
        if holds_back(app, connection, actor=actor, case_id=case_id):
            raise Forbidden("案件里有您看不到或只能遮掩着看的栏目；导出文件是完整的，不能由您导出。请由看得到的人办理，或联系安全管理员。")
        if not 2 <= len(reason) <= 500:
            raise Invalid("导出要写明理由。", fields={"reason": "请写明为什么导出、交给谁，2 到 500 个字。"})
        id = new_id()
        connection.execute(insert(case_bundle).values(
            id=id, case_id=case_id, person_id=actor.person_id, person_name=actor.name, reason=reason, revealed=revealed, at=at,
        ))
        app.jobs.defer(connection, CASE_BUNDLE, bundle_id=str(id))
        note(connection, actor=actor, at=at, action="trace.export", object=f"case_bundle:{id}", case_id=case_id, detail={"reason": reason, "revealed": revealed})
    return id


def holds_back(app: Application, connection: Connection, *, actor: Actor, case_id: UUID) -> bool:
    """Does the case hold what grants by field hide or mask from ``actor``? A bundle can't be narrowed: it proves itself whole."""
    if not any(one.kind == "field" for one in actor.grants):
        return False
    s = submission.c
    forms = connection.execute(select(s.form, instance.c.bundle_id).join(instance, instance.c.id == s.instance_id).where(s.case_id == case_id).distinct()).all()
    if any(held_back(form_of(app, app.library.bundle(row.bundle_id), row.form), actor) for row in forms):
        return True
    kept, declared = connection.scalars(select(record_history.c.register).join(act, act.c.id == record_history.c.act_id).where(act.c.case_id == case_id).distinct()), registers_of(app.library)
    return any(name in declared and for_reader(declared[name][0], actor) is not declared[name][0] for name in kept)


def make_bundle(app: Application, *, bundle_id: str) -> None:
    """The job: anchor the trail, read the case in one snapshot, write and keep the file, tell who asked."""
    at = app.clock.now()
    with app.db.connect() as connection:
        row = connection.execute(select(case_bundle).where(case_bundle.c.id == UUID(bundle_id))).one()
    if row.sm3 is not None:
        return
    anchor_now(app, at=at)
    with tempfile.TemporaryDirectory(prefix="guicheng-bundle-") as folder:
        path = Path(folder) / "case.zip"
        write_case(app, case_id=row.case_id, target=path, by=row.person_name, reason=row.reason, revealed=row.revealed, at=at)
        data = path.read_bytes()
    sm3 = app.blobs.put(data)
    with app.db.begin() as connection:
        connection.execute(update(case_bundle).where(case_bundle.c.id == row.id).values(sm3=sm3, size=len(data), made_at=at, problem=""))
        told = NewNotice(person_id=row.person_id, kind="system", text="案件导出文件做好了", link=f"/cases/{row.case_id}/export", case_id=row.case_id)
        send_notices(connection, notices=[told], at=at)


def bundle_failed(app: Application, error: BaseException, *, bundle_id: str) -> None:
    """After the last try: say so on the page that waits."""
    with app.db.begin() as connection:
        words = "没有做成，请稍后再导出一次；多次不行请告诉管理员。"
        connection.execute(update(case_bundle).where(case_bundle.c.id == UUID(bundle_id)).values(problem=words))


def write_case(app: Application, *, case_id: UUID, target: Path, by: str, reason: str, revealed: bool, at: datetime) -> None:
    """Write the bundle of a case to ``target``. The trail must have been anchored just before."""
    with app.db.connect().execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True) as connection:
        head = connection.execute(select(case_file.c.number, case_file.c.title, case_file.c.kind).where(case_file.c.id == case_id)).one_or_none()
        if head is None:
            raise NotFound("没有这个案件。")
        facts: dict[str, Any] = {
            "case": str(case_id), "number": head.number, "title": head.title, "kind": head.kind, "made_at": at.isoformat(), "by": by, "reason": reason, "revealed": revealed,
        }
        write_bundle(target, Collector(app, connection, case_id, revealed=revealed).members(), facts=facts, keys=app.keys)


def bundles_of(connection: Connection, *, actor: Actor, case_id: UUID) -> list[Row[Any]]:
    """What was exported of a case, the newest first; for who may export."""
    query = select(case_bundle).where(case_bundle.c.case_id == case_id).order_by(case_bundle.c.at.desc(), case_bundle.c.id.desc()).limit(20)
    return list(connection.execute(query))


def get_bundle(connection: Connection, *, actor: Actor, case_id: UUID, bundle_id: UUID, at: datetime, network: str) -> Row[Any]:
    """One finished export of one's own, its download noted; raises NotFound."""
    mine = (case_bundle.c.id == bundle_id) & (case_bundle.c.case_id == case_id) & (case_bundle.c.person_id == actor.person_id) & case_bundle.c.sm3.is_not(None)
    row = connection.execute(select(case_bundle).where(mine)).one_or_none()
    if row is None:
        raise NotFound("没有这个导出文件，或它还没有做好。")
    note(connection, actor=actor, at=at, action="trace.download", object=f"case_bundle:{bundle_id}", case_id=case_id, network=network, detail={"sm3": row.sm3})
    return row
