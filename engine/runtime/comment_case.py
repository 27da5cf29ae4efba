"""留言: say something on a case that is no opinion and decides nothing."""
from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from engine.access.actors import Actor
from engine.kernel.errors import Invalid
from engine.runtime.application import Application
from engine.runtime.begin import request_hash
from engine.runtime.beside import begin_beside, tell, write_beside
from engine.runtime.once import once
from engine.runtime.work import ActResult
from engine.storage.tables.runtime import task

LONGEST = 2000


@once
def comment_case(app: Application, *, actor: Actor, case_id: UUID, text: str, key: str, at: datetime) -> ActResult:
    """Put ``text`` on record; whoever holds a step of the case and its 承办人 are told. Raises Invalid without a text, NotFound."""
    said = text.strip()
    if not said or len(said) > LONGEST:
        raise Invalid("请写下留言，不超过 2000 字。", fields={"text": "请写 1 到 2000 个字。"})
    with app.db.begin() as connection:
        work = begin_beside(app, connection, kind="comment", actor=actor, case_id=case_id, key=key, asked=request_hash(kind="comment", case=case_id, text=said), at=at)
        if isinstance(work, ActResult):
            return work
        holders = set(connection.scalars(select(task.c.assignee_id).where(task.c.case_id == case_id, task.c.status == "open", task.c.assignee_id.is_not(None))))
        for person_id in sorted((holders | {work.case["handler_id"]}) - {None, actor.person_id}, key=str):
            tell(work, person_id, f"{actor.name}留言：{said[:60]}　{work.case['title']}", kind="comment", link=f"/cases/{case_id}")
        return write_beside(work, title="留言", outcome_title="留言", words=said)
