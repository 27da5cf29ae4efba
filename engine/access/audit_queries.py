"""What an auditor reads of the trail: records by who, what, when and which case, a page at a time by index."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Select, func, select, tuple_

from engine.kernel.clock import SHANGHAI
from engine.storage.tables.organisation import audit, audit_head
from engine.storage.tables.proof import audit_anchor

PAGE = 50
MOST = 50_000
KINDS = {
    "trace": ("下载、查看、打印、导出、揭示", "trace.%"), "act": ("办理", "act.%"), "sign": ("登录、退出", "登录%"), "failed": ("登录失败", "登录失败"),
    "rights": ("权限变动", "rights.%"), "alarm": ("告警", "alarm.%"), "keys": ("密钥", "keys.%"), "content": ("发布", "content.%"),
}
WORDS = {
    "trace.download": "下载", "trace.view": "查看文件", "trace.print": "打印", "trace.export": "导出", "trace.reveal": "揭示遮掩的内容", "rights.change": "权限数据变动",
    "access.refused_often": "频繁被拒绝", "rights.accept": "重新标记权限数据", "rights.sealed": "权限数据第一次加完整性标记", "alarm.raise": "告警", "alarm.close": "处理告警", "keys.round": "换密钥", "keys.round_done": "换密钥完成", "keys.round_stop": "停下换密钥",
    "audit.verify": "核对审计", "platform.restore": "从备份恢复", "host.files": "服务器文件的摘要", "upload.infected": "上传的文件有恶意代码", "grave.ask": "申请重大操作", "grave.approve": "核准重大操作", "grave.refuse": "不核准重大操作", "grave.withdraw": "撤回重大操作的申请", "grave.done": "执行重大操作", "content.deploy": "发布", "content.return": "退回到以前的版本", "content.merge": "合并改动", "register.export": "导出台账", "token.create": "生成令牌", "document.correct": "改文书",
    "syslog.failed": "日志没有送出去", "retention.rule": "保管期限", "retention.propose": "提请销毁", "retention.decide": "决定销毁", "away.appoint": "委托代办", "away.end": "结束委托",
}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the reader narrowed the list to; empty parts don't. ``after`` is (at, chain, seq) of the last row seen."""

    kind: str = ""
    name: str = ""
    case_id: UUID | None = None
    first: date | None = None
    last: date | None = None
    after: tuple[datetime, str, int] | None = None


def records(connection: Connection, asked: Asked, *, limit: int = PAGE) -> list[Row[Any]]:
    """Records, the newest first; one more than ``limit`` says that there are others behind."""
    a = audit.c
    order = (a.at.desc(), a.chain.desc(), a.seq.desc())
    query = _narrowed(select(a.chain, a.seq, a.at, a.actor_name, a.action, a.object, a.case_id, a.detail), asked).order_by(*order)
    if asked.after is not None:
        query = query.where(tuple_(a.at, a.chain, a.seq) < asked.after)
    return list(connection.execute(query.limit(limit + 1)))


def _narrowed(query: Select[Any], asked: Asked) -> Select[Any]:
    a = audit.c
    if asked.kind in KINDS:
        query = query.where(a.action.like(KINDS[asked.kind][1]))
    if asked.name:
        query = query.where(a.actor_name == asked.name)
    if asked.case_id is not None:
        query = query.where(a.case_id == asked.case_id)
    if asked.first is not None:
        query = query.where(a.at >= datetime.combine(asked.first, time(), SHANGHAI))
    if asked.last is not None:
        query = query.where(a.at < datetime.combine(asked.last + timedelta(days=1), time(), SHANGHAI))
    return query


def word_of(action: str) -> str:
    """An action in Chinese; acts of the flow say 办理."""
    return WORDS.get(action) or ("办理" if action.startswith("act.") else action)


def state(connection: Connection) -> dict[str, Any]:
    """How the trail stands: chains, records, last anchor, last verification."""
    heads = connection.execute(select(func.count(), func.coalesce(func.sum(audit_head.c.seq), 0))).one()
    anchor = connection.execute(select(audit_anchor.c.seq, audit_anchor.c.at).order_by(audit_anchor.c.seq.desc()).limit(1)).one_or_none()
    checked = connection.execute(select(audit.c.at, audit.c.detail).where(audit.c.action == "audit.verify").order_by(audit.c.at.desc()).limit(1)).one_or_none()
    return {"chains": heads[0], "records": int(heads[1]), "anchor": anchor, "checked": checked}
