"""The audit trail: one SM3 chain per bureau, each record hashed together with the one before it.

The head row of a chain is the last lock an act takes. Two statements write a record: the head is read and locked, then
record and new head are stored together. ``verify`` names the first record that was altered, moved or taken away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Connection, Row, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from engine.access.actors import Actor
from engine.kernel.gm import sm3
from engine.storage.tables.organisation import audit, audit_head

GENESIS = bytes(32)
_BATCH = 5_000


@dataclass(frozen=True, kw_only=True)
class Break:
    """Where a chain stops being true: the first bad sequence number and why, in Chinese."""

    seq: int
    why: str


def chain_of(actor: Actor) -> str:
    """The chain an actor's acts are written to: the district bureau's path, or the city bureau's."""
    return chain_of_path(actor.unit_path, at_city=actor.district_id is None)


def chain_of_path(unit_path: str, *, at_city: bool) -> str:
    """The chain of a unit by its path: two steps down for a district, one for the city level."""
    return "/".join(unit_path.strip("/").split("/")[: 1 if at_city else 2])


def append(
    connection: Connection,
    *,
    chain: str,
    at: datetime,
    actor_id: UUID | None,
    actor_name: str,
    action: str,
    object: str,
    case_id: UUID | None = None,
    detail: Mapping[str, Any] | None = None,
) -> tuple[int, bytes]:
    """Write one record at the end of ``chain``; (sequence number, hash). Call it last: it holds the chain until commit."""
    seq, before = _lock_head(connection, chain)
    values: dict[str, Any] = {
        "chain": chain,
        "seq": seq + 1,
        "at": at,
        "actor_id": actor_id,
        "actor_name": _plain(actor_name),
        "action": action,
        "object": _plain(object),
        "case_id": case_id,
        "detail": _plain(detail or {}),
    }
    values["hash"] = record_hash(before, values)
    record = insert(audit).values(**values).returning(audit.c.seq).cte("record")
    connection.execute(
        update(audit_head)
        .where(audit_head.c.chain == chain)
        .values(seq=select(record.c.seq).scalar_subquery(), hash=literal(values["hash"], audit_head.c.hash.type))
    )
    return values["seq"], values["hash"]


def _lock_head(connection: Connection, chain: str) -> tuple[int, bytes]:
    statement = select(audit_head.c.seq, audit_head.c.hash).where(audit_head.c.chain == chain).with_for_update()
    head = connection.execute(statement).one_or_none()
    if head is None:
        connection.execute(insert(audit_head).values(chain=chain, seq=0, hash=GENESIS).on_conflict_do_nothing())
        head = connection.execute(statement).one()
    return head.seq, head.hash


def record_hash(before: bytes, values: Mapping[str, Any]) -> bytes:
    """SM3 over the hash before and the record as canonical JSON."""
    body = [
        values["chain"],
        values["seq"],
        values["at"].astimezone(UTC).isoformat(timespec="microseconds"),
        _text(values["actor_id"]),
        values["actor_name"],
        values["action"],
        values["object"],
        _text(values["case_id"]),
        values["detail"],
    ]
    return sm3(before + orjson.dumps(body, option=orjson.OPT_SORT_KEYS))


def verify(connection: Connection, chain: str) -> int | None:
    """The first bad sequence number of ``chain``, or None when every record is as it was written."""
    broken = find_break(connection, chain)
    return None if broken is None else broken.seq


def find_break(connection: Connection, chain: str) -> Break | None:
    """Like ``verify``, with the reason."""
    head = connection.execute(select(audit_head.c.seq, audit_head.c.hash).where(audit_head.c.chain == chain)).one_or_none()
    before, expected = GENESIS, 1
    while batch := _batch(connection, chain, expected - 1):
        for row in batch:
            if row.seq != expected:
                return Break(seq=expected, why="这条记录不见了")
            if record_hash(before, row._asdict()) != row.hash:
                return Break(seq=expected, why="这条记录的内容或顺序被改动")
            before, expected = row.hash, expected + 1
    last = expected - 1
    if head is None:
        return Break(seq=1, why="链首记录不见了") if last else None
    if head.seq > last:
        return Break(seq=expected, why="末尾的记录被删去")
    return None if head.seq == last and head.hash == before else Break(seq=last, why="链尾与链首记录不符")


def _batch(connection: Connection, chain: str, after: int) -> list[Row[Any]]:
    return list(connection.execute(select(audit).where(audit.c.chain == chain, audit.c.seq > after).order_by(audit.c.seq).limit(_BATCH)))


def chains(connection: Connection) -> list[str]:
    """Names of all chains that have a head or a record."""
    heads, records = select(audit_head.c.chain), select(audit.c.chain)
    return sorted(connection.execute(heads.union(records)).scalars())


def records_of(connection: Connection, *, case_id: UUID, limit: int = 200) -> list[Row[Any]]:
    """What the trail says about a case, the newest first."""
    return list(
        connection.execute(select(audit).where(audit.c.case_id == case_id).order_by(audit.c.at.desc(), audit.c.seq.desc()).limit(limit))
    )


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)


def _plain(value: Any) -> Any:
    """``value`` as jsonb gives it back unchanged: text, whole numbers, true, false, null, lists and objects."""
    match value:
        case None | bool():
            return value
        case str():
            return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
        case int():
            return value if abs(value) < 1 << 53 else str(value)
        case float() | Decimal() | UUID():
            return str(value)
        case datetime() | date():
            return value.isoformat()
        case bytes():
            return value.hex()
        case Mapping():
            return {_plain(str(key)): _plain(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(item) for item in (sorted(value, key=str) if isinstance(value, set | frozenset) else value)]
    raise TypeError(f"an audit detail can't hold {type(value).__name__}")
