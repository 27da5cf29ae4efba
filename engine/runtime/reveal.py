"""揭示: the whole of what is masked on a case, to who may, for a reason, on record."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from engine.access.actors import Actor
from engine.access.audit import note
from engine.access.parties import parties_of, reveal_snapshot
from engine.access.scope import require_case
from engine.kernel.errors import Forbidden, Invalid
from engine.runtime.application import Application
from engine.runtime.case_bundle.make import may_reveal
from engine.runtime.secrets import AAD, MARK
from engine.storage.tables.cases import case_file
from engine.storage.tables.runtime import submission


@dataclass(frozen=True, kw_only=True)
class Revealed:
    """One text in full: where it stands, in Chinese, and what it says."""

    place: str
    text: str


PARTS = {"identifier": "证件号码", "phone": "电话", "operator_identifier": "经营者证件号码"}


def reveal_case(app: Application, *, actor: Actor, case_id: UUID, reason: str, at: datetime, network: str = "") -> list[Revealed]:
    """Numbers and telephones of a case in full. Its handler, heads of units and people with the right may.

    Raises NotFound, Forbidden, Invalid without a reason. That it was done, by whom and why, is committed before it returns.
    """
    reason = reason.strip()
    with app.db.begin() as connection:
        require_case(connection, actor, case_id)
        handler = connection.scalar(select(case_file.c.handler_id).where(case_file.c.id == case_id))
        if not may_reveal(actor) and handler != actor.person_id:
            raise Forbidden("您没有“查看遮掩的证件号码、电话”的权限；承办人、单位负责人可以看，或联系管理员。")
        if not 2 <= len(reason) <= 500:
            raise Invalid("查看要写明理由。", fields={"reason": "请写明为什么要看，2 到 500 个字。"})
        found = [
            Revealed(place=f"当事人 {row.snapshot.get('name', '')}　证件号码", text=reveal_snapshot(app.keys, case_id=case_id, snapshot=row.snapshot))
            for row in parties_of(connection, case_id=case_id) if row.snapshot.get("sealed")
        ]
        rows = connection.execute(select(submission).where(submission.c.case_id == case_id, submission.c.superseded.is_(False)).order_by(submission.c.at.desc())).mappings()
        for row in rows:
            found += [Revealed(place=f"{row['by_name']} {at_day(row['at'])} 填报　{_title(path)}", text=text) for path, text in _opened(app, row["data"], "")]
        unique = list({(one.place, one.text): one for one in found}.values())
        note(connection, actor=actor, at=at, action="trace.reveal", object=f"case:{case_id}", case_id=case_id, network=network, detail={"reason": reason, "texts": len(unique)})
    return unique


def at_day(at: datetime) -> str:
    """The day in Shanghai."""
    from engine.kernel.clock import legal_date

    return legal_date(at).isoformat()


def _opened(app: Application, data: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(data, dict):
        if set(data) == {MARK}:
            yield path, app.keys.decrypt(bytes.fromhex(data[MARK]), AAD).decode()
            return
        for name, value in data.items():
            yield from _opened(app, value, f"{path}.{name}" if path else name)
    elif isinstance(data, list):
        for number, value in enumerate(data, start=1):
            yield from _opened(app, value, f"{path}.{number}")


def _title(path: str) -> str:
    last = path.rpartition(".")[2]
    return PARTS.get(last, last)
