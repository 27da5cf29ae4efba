"""The audit trail: one SM3 chain per bureau, each record hashed together with the one before it.

The head row of a chain is the last lock an act takes. Two statements write a record: the head is read and locked, then
record and new head are stored together. ``engine.access.audit_check`` names the first record that was altered, moved or
taken away; ``engine.access.anchors`` binds all heads to a signature every hour.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Connection, Row, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert

from engine.access.actors import Actor
from engine.access.audit_check import GENESIS, Break, chains, find_break, record_hash, verify
from engine.storage.prepared import Asked, Prepared, Reply, keep_for_commit
from engine.storage.tables.organisation import audit, audit_head

__all__ = ["GENESIS", "PLATFORM", "Break", "append", "append_all", "chain_of", "chain_of_path", "chains", "find_break", "note", "record_hash", "records_of", "verify"]

COLUMNS = ("chain", "seq", "at", "actor_id", "actor_name", "action", "object", "case_id", "detail", "hash")
LOCK = Prepared(select(audit_head.c.seq, audit_head.c.hash).where(audit_head.c.chain == bindparam("chain")).with_for_update())
_ROW = insert(audit).values({name: bindparam(f"new_{name}", type_=audit.c[name].type) for name in COLUMNS}).returning(audit.c.seq).cte("record")
RECORD = Prepared(
    update(audit_head).where(audit_head.c.chain == bindparam("new_chain"))
    .values(seq=select(_ROW.c.seq).scalar_subquery(), hash=bindparam("new_hash", type_=audit_head.c.hash.type))
)
Head = tuple[int, bytes]
PLATFORM = "platform"
"""The chain of what belongs to no bureau: failed sign-ins of unknown people, anchors' alarms, keys, restores."""


def chain_of(actor: Actor) -> str:
    """The chain an actor's acts are written to: the district bureau's path, or the city bureau's."""
    return chain_of_path(actor.unit_path, at_city=actor.district_id is None)


def chain_of_path(unit_path: str, *, at_city: bool) -> str:
    """The chain of a unit by its path: two steps down for a district, one for the city level."""
    return "/".join(unit_path.strip("/").split("/")[: 1 if at_city else 2])


def note(
    connection: Connection, *, actor: Actor | None, at: datetime, action: str, object: str, case_id: UUID | None = None, network: str = "",
    detail: Mapping[str, Any] | None = None,
) -> tuple[int, bytes]:
    """``append`` to the chain of ``actor``, or to the platform's own where nobody is signed in. ``network`` is the asker's address."""
    more = {**(detail or {}), **({"network": network} if network else {})}
    return append(
        connection, chain=chain_of(actor) if actor else PLATFORM, at=at, actor_id=actor.person_id if actor else None,
        actor_name=actor.name if actor else "平台", action=action, object=object, case_id=case_id, detail=more,
    )


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
    head: Head | None = None,
) -> tuple[int, bytes]:
    """Write one record at the end of ``chain``; (sequence number, hash). Call it last: it holds the chain until commit.

    The record leaves with the COMMIT, or with whatever the transaction sends before it. ``head`` is what ``head_in`` read.
    """
    seq, before = head or _lock_head(connection, chain)
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
    values["hash"] = record_hash(before, _body(values))
    keep_for_commit(connection, RECORD, {f"new_{name}": value for name, value in values.items()})
    return values["seq"], values["hash"]


def lock_of(chain: str) -> Asked:
    """The statement that locks the head of ``chain``, for who sends it together with others; ``head_in`` reads the reply."""
    return LOCK, {"chain": chain}


def head_in(reply: Reply | None) -> Head | None:
    """The head in the reply to ``lock_of``; None for a chain that has none yet."""
    row = None if reply is None else reply.one_or_none()
    return None if row is None else (row[0], row[1])


def append_all(connection: Connection, *, chain: str, records: Sequence[Mapping[str, Any]]) -> None:
    """Write many records at the end of ``chain`` with three statements; each is the keywords of ``append``. Call it last."""
    seq, before = _lock_head(connection, chain)
    rows: list[dict[str, Any]] = []
    for record in records:
        seq += 1
        values = {
            "chain": chain, "seq": seq, "at": record["at"], "actor_id": record.get("actor_id"), "actor_name": _plain(record["actor_name"]),
            "action": record["action"], "object": _plain(record["object"]), "case_id": record.get("case_id"), "detail": _plain(record.get("detail") or {}),
        }
        before = values["hash"] = record_hash(before, _body(values))
        rows.append(values)
    if rows:
        connection.execute(insert(audit), rows)
        connection.execute(update(audit_head).where(audit_head.c.chain == chain).values(seq=seq, hash=before))


def _body(values: Mapping[str, Any]) -> list[Any]:
    """What is hashed of a record, in the shape that ``audit_check`` reads back."""
    at = values["at"].astimezone(UTC).isoformat(timespec="microseconds")
    return [
        values["chain"], values["seq"], at, _text(values["actor_id"]), values["actor_name"], values["action"], values["object"], _text(values["case_id"]),
        values["detail"],
    ]


def _lock_head(connection: Connection, chain: str) -> tuple[int, bytes]:
    head = LOCK.one_or_none(connection, {"chain": chain})
    if head is None:
        connection.execute(insert(audit_head).values(chain=chain, seq=0, hash=GENESIS).on_conflict_do_nothing())
        head = LOCK.one_or_none(connection, {"chain": chain})
        assert head is not None
    return head[0], head[1]


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


def canonical(value: Any) -> bytes:
    """JSON bytes that are the same for equal values, for digests that a record carries."""
    return orjson.dumps(_plain(value), option=orjson.OPT_SORT_KEYS)
