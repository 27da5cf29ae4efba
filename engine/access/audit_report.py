"""The trail in figures: how much of what on which day, by whom; whole days carried off as lines that can be proved; queries kept under a name."""
from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Connection, Row, case, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from engine.access.audit_check import bodies
from engine.access.audit_queries import word_of
from engine.kernel.clock import SHANGHAI
from engine.kernel.errors import Conflict, Invalid, NotFound
from engine.kernel.ids import new_id
from engine.storage.tables.organisation import audit
from engine.storage.tables.proof import audit_view

LONGEST = timedelta(days=92)
MOST_VIEWS = 30
PIECE = 5_000
"""Records that are in memory at a time while the trail is carried off."""
GROUPS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "act": ("办理", ("act.%",)), "trace": ("查看、下载、打印、导出", ("trace.%", "%.export", "party.read")), "sign": ("登录、退出", ("登录", "退出登录", "核对身份")),
    "failed": ("登录失败、受限、被拒绝", ("登录失败", "登录受限", "会话被冒用", "access.%", "签收码不对")), "rights": ("权限、密钥、规定", ("rights.%", "keys.%", "改登录规定")),
    "alarm": ("告警", ("alarm.%",)),
}
OTHER = "other"


@dataclass(frozen=True, kw_only=True)
class Report:
    """``days`` is every day of the span with its counts by group, ``actions`` and ``people`` the most frequent: (word, count)."""

    first: date
    last: date
    days: list[tuple[date, dict[str, int]]]
    actions: list[tuple[str, int]] = field(default_factory=list)
    people: list[tuple[str, int]] = field(default_factory=list)

    @property
    def totals(self) -> dict[str, int]:
        return {name: sum(counts.get(name, 0) for _, counts in self.days) for name in (*GROUPS, OTHER)}

    @property
    def highest(self) -> int:
        return max((sum(counts.values()) for _, counts in self.days), default=0)


def report(connection: Connection, *, first: date, last: date) -> Report:
    """The figures of a span of at most LONGEST; raises Invalid."""
    if not first <= last <= first + LONGEST:
        raise Invalid("日期写反了，或一次超过三个月。", fields={"from": "请选三个月以内的日期。"})
    a, inside = audit.c, _inside(first, last)
    day = func.date(func.timezone("Asia/Shanghai", a.at))
    group = case(*((a.action.like(likes[0]) if len(likes) == 1 else a.action.like(func.any(list(likes))), name) for name, (_, likes) in GROUPS.items()), else_=OTHER)
    counted: dict[date, dict[str, int]] = {}
    for on, name, count in connection.execute(select(day, group, func.count()).where(*inside).group_by(day, group)):
        counted.setdefault(on, {})[name] = count
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    top = func.count().label("top")
    actions = connection.execute(select(a.action, top).where(*inside).group_by(a.action).order_by(top.desc(), a.action)).all()
    by_word: Counter[str] = Counter()
    for name, count in actions:
        by_word[word_of(name)] += count
    people = connection.execute(select(a.actor_name, top).where(*inside, a.actor_id.is_not(None)).group_by(a.actor_id, a.actor_name).order_by(top.desc(), a.actor_name).limit(15)).all()
    return Report(
        first=first, last=last, days=[(on, counted.get(on, {})) for on in days], actions=by_word.most_common(15), people=[(name, count) for name, count in people],
    )


def dump(connection: Connection, *, first: date, last: date) -> Iterator[bytes]:
    """Every record of the span as gzipped JSON lines, chain by chain: the body as it is hashed, and its hash, so that a copy can be held against the chain."""
    packer = gzip.GzipFile(fileobj=(out := _Pipe()), mode="wb", mtime=0)
    spans = select(audit.c.chain, func.min(audit.c.seq), func.max(audit.c.seq)).where(*_inside(first, last)).group_by(audit.c.chain).order_by(audit.c.chain)
    for chain, lowest, highest in connection.execute(spans).all():
        for start in range(lowest, highest + 1, PIECE):
            for body, hashed in bodies(connection, chain, start, min(start + PIECE - 1, highest)):
                packer.write(orjson.dumps({"record": body, "hash": hashed.hex()}) + b"\n")
            yield from out.taken()
    packer.close()
    yield from out.taken()


class _Pipe:
    """What gzip writes, handed on in pieces."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self.pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def taken(self) -> list[bytes]:
        pieces, self.pieces = self.pieces, []
        return pieces


def _inside(first: date, last: date) -> tuple[Any, ...]:
    start, end = (datetime.combine(day, time(), SHANGHAI) for day in (first, last + timedelta(days=1)))
    return audit.c.at >= start, audit.c.at < end


def keep_view(connection: Connection, *, person_id: UUID, title: str, query: str, at: datetime) -> None:
    """Keep a query of the trail under a name of one's own; the same name replaces. Raises Invalid, Conflict when there are MOST_VIEWS."""
    if not title.strip():
        raise Invalid("请给查询起个名字。", fields={"title": "请给查询起个名字。"})
    kept = views(connection, person_id=person_id)
    if len(kept) >= MOST_VIEWS and title.strip()[:40] not in {row.title for row in kept}:
        raise Conflict(f"最多留 {MOST_VIEWS} 个查询，请先删掉不用的。")
    made = insert(audit_view).values(id=new_id(), person_id=person_id, title=title.strip()[:40], query=query[:500], at=at)
    connection.execute(made.on_conflict_do_update(index_elements=["person_id", "title"], set_={"query": query[:500], "at": at}))


def drop_view(connection: Connection, *, person_id: UUID, view_id: UUID) -> None:
    """Forget a kept query; raises NotFound when it isn't one's own."""
    if not connection.execute(delete(audit_view).where(audit_view.c.id == view_id, audit_view.c.person_id == person_id)).rowcount:
        raise NotFound("没有这个查询。")


def views(connection: Connection, *, person_id: UUID) -> list[Row[Any]]:
    """id, title, query of one's kept queries, by name."""
    return list(connection.execute(select(audit_view.c.id, audit_view.c.title, audit_view.c.query).where(audit_view.c.person_id == person_id).order_by(audit_view.c.title)))
