"""Is every record of a chain as it was written? Names the first that is not. Reads a million records in a few seconds.

The server streams the columns as text in the very shape that was hashed, so neither side ever holds a chain in memory and
both work at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import orjson
from psycopg import sql
from sqlalchemy import Connection, select

from engine.kernel.gm import sm3
from engine.kernel.gm.provider import default_provider
from engine.storage.tables.organisation import audit, audit_head
from engine.storage.wire import send_kept

GENESIS = bytes(32)
TELL = 20_000
_TYPES = ["int8", "text", "text", "text", "text", "text", "text", "text", "bytea"]
_COLUMNS = (
    "seq, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US') || '+00:00', actor_id::text, actor_name, action, object, case_id::text, detail::text, hash"
)


@dataclass(frozen=True, kw_only=True)
class Break:
    """Where a chain stops being true: the first bad sequence number and why, in Chinese."""

    seq: int
    why: str


def record_hash(before: bytes, body: list[Any] | Mapping[str, Any]) -> bytes:
    """SM3 over the hash before and ``body_digest`` of the record. A mapping as a row gives it is taken too."""
    if isinstance(body, Mapping):
        at = body["at"].astimezone(UTC).isoformat(timespec="microseconds")
        ids = {name: None if body[name] is None else str(body[name]) for name in ("actor_id", "case_id")}
        body = [body["chain"], body["seq"], at, ids["actor_id"], body["actor_name"], body["action"], body["object"], ids["case_id"], body["detail"]]
    return sm3(before + body_digest(body))


def body_digest(body: list[Any]) -> bytes:
    """SM3 of a record as canonical JSON: chain, seq, at (UTC, microseconds), actor, name, action, object, case, detail.

    Between two records of a case the digests of the others prove the chain without telling what is in them.
    """
    return sm3(orjson.dumps(body, option=orjson.OPT_SORT_KEYS))


def bodies(connection: Connection, chain: str, first: int, last: int) -> Iterator[tuple[list[Any], bytes]]:
    """(body, stored hash) of the records ``first`` to ``last`` of a chain, in order."""
    raw = connection.connection.driver_connection
    assert raw is not None
    send_kept(raw)
    with raw.cursor() as cursor:
        cursor.execute(f"SELECT {_COLUMNS} FROM audit WHERE chain = %s AND seq BETWEEN %s AND %s ORDER BY seq", (chain, first, last))  # noqa: S608 (fixed columns)
        for seq, at, actor, name, action, subject, case, detail, stored in cursor:
            yield [chain, seq, at, actor, name, action, subject, case, orjson.loads(detail)], bytes(stored)


def verify(connection: Connection, chain: str) -> int | None:
    """The first bad sequence number of ``chain``, or None when every record is as it was written."""
    broken = find_break(connection, chain)
    return None if broken is None else broken.seq


def find_break(
    connection: Connection, chain: str, *, marks: Mapping[int, bytes] | None = None, tell: Callable[[int], None] | None = None
) -> Break | None:
    """Like ``verify``, with the reason. ``marks`` are hashes (by sequence number) that anchors attest; ``tell`` hears how far it is."""
    head = connection.execute(select(audit_head.c.seq, audit_head.c.hash).where(audit_head.c.chain == chain)).one_or_none()
    last, before, broken = _walk(connection, chain, marks or {}, tell)
    if broken is not None:
        return broken
    beyond = sorted(seq for seq in marks or {} if seq > last)
    if beyond:
        return Break(seq=last + 1, why=f"末尾的记录被删去：已锚定到第 {beyond[-1]} 条")
    if head is None:
        return Break(seq=1, why="链首记录不见了") if last else None
    if head.seq > last:
        return Break(seq=last + 1, why="末尾的记录被删去")
    return None if head.seq == last and head.hash == before else Break(seq=last, why="链尾与链首记录不符")


def _walk(connection: Connection, chain: str, marks: Mapping[int, bytes], tell: Callable[[int], None] | None) -> tuple[int, bytes, Break | None]:
    """(last sequence number, its hash, break) of the records in order."""
    raw = connection.connection.driver_connection
    assert raw is not None
    query = sql.SQL("COPY (SELECT " + _COLUMNS + " FROM audit WHERE chain = {} ORDER BY seq) TO STDOUT").format(sql.Literal(chain))  # noqa: S608 (fixed columns)
    with raw.cursor() as cursor, cursor.copy(query) as copy:
        copy.set_types(_TYPES)
        found = _compare(copy.rows(), chain, marks, tell)
        while copy.read():  # what is left behind a break
            continue
    if tell is not None:
        tell(found[0])
    return found


def _compare(rows: Iterable[Any], chain: str, marks: Mapping[int, bytes], tell: Callable[[int], None] | None) -> tuple[int, bytes, Break | None]:
    before, expected, loads, dumps, sort, hashed = GENESIS, 1, orjson.loads, orjson.dumps, orjson.OPT_SORT_KEYS, default_provider().sm3
    for seq, at, actor, name, action, subject, case, detail, stored in rows:
        if seq != expected:
            return expected - 1, before, Break(seq=expected, why="这条记录不见了")
        text = dumps([chain, seq, at, actor, name, action, subject, case, loads(detail)], option=sort)
        here = hashed(before + hashed(text))
        if here != stored and (here := hashed(before + text)) != stored:  # the second is how the first version wrote
            return expected - 1, before, Break(seq=expected, why="这条记录的内容或顺序被改动")
        before = here
        if seq in marks and marks[seq] != before:
            return expected - 1, before, Break(seq=expected, why="这条记录与当时的锚定不符：它或它之前的记录被整段重写")
        expected += 1
        if tell is not None and seq % TELL == 0:
            tell(seq)
    return expected - 1, before, None


def chains(connection: Connection) -> list[str]:
    """Names of all chains that have a head or a record."""
    heads, records = select(audit_head.c.chain), select(audit.c.chain)
    return sorted(connection.execute(heads.union(records)).scalars())
