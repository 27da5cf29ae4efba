"""安全告警: what a check found out of order. One open alarm a subject; people with the auditor's right are told, once."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from engine.access.actors import Actor
from engine.access.audit import note
from engine.access.notices import NewNotice, send_notices
from engine.kernel.errors import Invalid, NotFound
from engine.kernel.ids import new_id
from engine.storage.tables.organisation import account
from engine.storage.tables.proof import integrity_alarm

AUDITOR, SECURITY = "auditor", "security"
LEVELS = {"high": "高危", "middle": "中危", "low": "低危"}
KINDS = {"audit": "审计记录", "anchor": "审计锚点", "access": "权限数据", "release": "程序文件", "keys": "密钥", "attack": "可疑的访问", "host": "服务器文件"}


def raise_alarm(connection: Connection, *, kind: str, subject: str, text: str, at: datetime, level: str = "high") -> bool:
    """Keep an alarm, tell the auditors, write it into the trail; False when the same one is open already."""
    made = connection.execute(
        insert(integrity_alarm).values(id=new_id(), kind=kind, subject=subject, text=text, level=level, at=at)
        .on_conflict_do_nothing(index_elements=["kind", "subject"], index_where=integrity_alarm.c.closed_at.is_(None)).returning(integrity_alarm.c.id)
    ).scalar_one_or_none()
    if made is None:
        return False
    told = connection.execute(select(account.c.person_id).where(account.c.active, or_(account.c.rights.has_key(AUDITOR), account.c.rights.has_key(SECURITY)))).scalars()
    notices = [NewNotice(person_id=id, kind="system", text=f"{LEVELS[level]}告警（{KINDS[kind]}）：{text}", link="/admin/audit") for id in told]
    if notices:
        send_notices(connection, notices=notices, at=at)
    note(connection, actor=None, at=at, action="alarm.raise", object=f"{kind}:{subject}", detail={"text": text, "level": level})
    return True


def close_alarm(connection: Connection, *, actor: Actor, alarm_id: UUID, reason: str, at: datetime) -> None:
    """End an alarm with the reason found; raises Invalid without one, NotFound for one that is closed."""
    if not reason.strip():
        raise Invalid("请写明查明的原因和处理。", fields={"reason": "请写明查明的原因和处理。"})
    values = {"closed_at": at, "closed_by": actor.person_id, "closed_name": actor.name, "reason": reason.strip()}
    open_one = (integrity_alarm.c.id == alarm_id) & integrity_alarm.c.closed_at.is_(None)
    if not connection.execute(update(integrity_alarm).where(open_one).values(values)).rowcount:
        raise NotFound("没有这条告警，或它已经处理。")
    note(connection, actor=actor, at=at, action="alarm.close", object=str(alarm_id), detail={"reason": reason.strip()})


def alarms(connection: Connection, *, open_only: bool = True, limit: int = 100) -> list[Row[Any]]:
    """Alarms, the newest first."""
    query = select(integrity_alarm).order_by(integrity_alarm.c.at.desc(), integrity_alarm.c.id.desc()).limit(limit)
    return list(connection.execute(query.where(integrity_alarm.c.closed_at.is_(None)) if open_only else query))
