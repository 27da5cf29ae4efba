"""Rows that say who may do what carry an HMAC-SM3 seal, so that a change made past the platform is found and told.

Triggers note changed rows (``engine.storage.access_triggers``). Before a connection of the platform commits, the noted
rows are sealed with the key of this deployment (``guard``); who writes with another program hasn't the key. ``check``
compares every row with its seal and the sum of all seals with what it should be: a changed, an added and a deleted row
are named, also when triggers were off or seals were deleted along. Grants of single cases carry their seal in the row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Connection, Engine, event, text

from engine.access.actors import Actor
from engine.access.audit import note
from engine.kernel.gm import KeyRing
from engine.storage.access_triggers import COLUMNS, OF_SIGN_IN, key_of

TITLES = {
    "account": "账号", "person": "人员", "post": "岗位", "unit": "单位", "role_holder": "角色对应", "seal_permission": "用印授权", "api_token": "接口令牌", "deputy": "委托代办",
    "case_grant": "案件授权", "own_role": "自设角色", "role_person": "角色人员", "access_grant": "权限授予", "certificate": "执法证件", "sign_in_policy": "登录规定",
    "sign_in_certificate": "登录证书", "second_factor": "动态口令", "recovery_code": "动态口令备用码", "party_account": "当事人账号", "party_binding": "当事人账号的代表",
}
SEALED_ONCE = "access_sealed"
"""The file beside the keys that names the tables which were sealed once: a seal that is missing later was taken away."""
KEY, DIRTY = "guicheng_mac", "guicheng_rights_changed"
Mac = Callable[[bytes], bytes]
_MODULUS = 1 << 256
_acting: ContextVar[Callable[[], Actor | None]] = ContextVar("guicheng_acting", default=lambda: None)
_STREAM = {"stream_results": True, "yield_per": 5_000}
_WRITES = re.compile(
    r"(?:INSERT INTO|DELETE FROM|UPDATE) (?:account|person|post|unit|role_holder|seal_permission|deputy|own_role|role_person|access_grant|certificate|sign_in_policy"
    r"|sign_in_certificate|recovery_code|party_binding)\b|(?:INSERT INTO|DELETE FROM) (?:api_token|second_factor|party_account)\b"
    r"|UPDATE api_token SET (?!used_at)|UPDATE second_factor SET (?!last_step)|UPDATE party_account SET (?!failures)"
)


def guard(engine: Engine, keys: KeyRing) -> None:
    """From now on every commit of ``engine`` seals what it changed. Raw connections of other engines stay unsealed and are found."""
    engine.update_execution_options(**{KEY: keys.mac})
    event.listen(engine, "before_cursor_execute", _watch)
    event.listen(engine, "commit", _seal_before_commit)
    event.listen(engine, "rollback", _forget)


def mac_of(connection: Connection) -> Mac | None:
    """The sealing function of a guarded connection."""
    found: Mac | None = connection.get_execution_options().get(KEY)
    return found


def _watch(connection: Connection, cursor: Any, statement: str, parameters: Any, context: Any, executemany: bool) -> None:
    if DIRTY not in connection.info and _writes_rights(statement):
        connection.info[DIRTY] = True


@lru_cache(maxsize=4_000)
def _writes_rights(statement: str) -> bool:
    return _WRITES.search(statement) is not None


def _seal_before_commit(connection: Connection) -> None:
    if connection.info.pop(DIRTY, False):
        seal_changes(connection)


def _forget(connection: Connection) -> None:
    if not connection.invalidated:  # a lost connection took its notes along
        connection.info.pop(DIRTY, None)


def seal_changes(connection: Connection) -> None:
    """Seal the rows noted in this transaction and carry the sums on. Does nothing on a connection without a key."""
    mac = mac_of(connection)
    if mac is None:
        return
    noted: dict[str, set[str]] = {}
    for table, row_key in connection.execute(text(
        "DELETE FROM access_change WHERE xact = pg_current_xact_id()::text RETURNING table_name, row_key"
    )):
        noted.setdefault(table, set()).add(row_key)
    for table in sorted(noted):
        _seal_rows(connection, mac, table, sorted(noted[table]))
    if noted:
        _record(connection, noted)


def _record(connection: Connection, noted: dict[str, set[str]]) -> None:
    """Who changed which rows of rights goes into the trail in the same commit."""
    actor, at = _acting.get()(), connection.execute(text("SELECT statement_timestamp()")).scalar_one()
    rows = {TITLES[table]: {"count": len(ids), "rows": sorted(ids)[:20]} for table, ids in noted.items()}
    note(connection, actor=actor, at=at, action="rights.change", object="、".join(sorted(rows)), detail=rows)


def acting(who: Callable[[], Actor | None]) -> None:
    """Tell on whose behalf this thread works from now on; ``who`` is asked when rights change."""
    _acting.set(who)


def _seal_rows(connection: Connection, mac: Mac, table: str, ids: Sequence[str]) -> None:
    total = connection.execute(text("SELECT rows, sum, mac FROM access_total WHERE table_name = :t FOR UPDATE"), {"t": table}).one_or_none()
    count, summed = (int(total.rows), int(total.sum)) if total is not None else (0, 0)
    true_so_far = total is None or bytes(total.mac) == _total_mac(mac, table, count, summed)
    gone = text("DELETE FROM access_seal WHERE table_name = :t AND row_key = ANY(:ids) RETURNING mac")
    old = [bytes(value) for value in connection.execute(gone, {"t": table, "ids": list(ids)}).scalars()]
    new = {row_key: mac(body) for row_key, body in _bodies(connection, table, f"WHERE {_row_key(table)} = ANY(:ids)", ids=list(ids))}
    if new:
        connection.execute(
            text("INSERT INTO access_seal (table_name, row_key, mac, at) SELECT :t, k, decode(m, 'hex'), statement_timestamp() FROM unnest(CAST(:k AS text[]), CAST(:m AS text[])) AS one(k, m)"),
            {"t": table, "k": list(new), "m": [value.hex() for value in new.values()]},
        )
    count += len(new) - len(old)
    summed = (summed + sum(_number(value) for value in new.values()) - sum(_number(value) for value in old)) % _MODULUS
    sealed = _total_mac(mac, table, count, summed) if true_so_far else bytes(32)  # a sum that was forged stays forged
    connection.execute(
        text("INSERT INTO access_total (table_name, rows, sum, mac) VALUES (:t, :n, :s, :m) ON CONFLICT (table_name) DO UPDATE SET rows = :n, sum = :s, mac = :m"),
        {"t": table, "n": count, "s": Decimal(summed), "m": sealed},
    )


def _bodies(connection: Connection, table: str, where: str = "", **values: Any) -> Iterator[tuple[str, bytes]]:
    columns = ", ".join(f"to_jsonb({table}.{name})" for name in COLUMNS[table])
    query = text(f"SELECT {_row_key(table)}, jsonb_build_array({columns})::text FROM {table} {where} ORDER BY {', '.join(key_of(table))}")  # noqa: S608 (names of COLUMNS)
    for row_key, body in connection.execute(query, values, execution_options=_STREAM):
        yield row_key, f"{table}\n{row_key}\n{body}".encode()


def _row_key(table: str) -> str:
    """The SQL text that names a row, as the trigger names it."""
    return " || ':' || ".join(f"{table}.{name}::text" for name in key_of(table))


def _number(mac: bytes) -> int:
    return int.from_bytes(mac, "big")


def _total_mac(mac: Mac, table: str, count: int, summed: int) -> bytes:
    return mac(f"total\n{table}\n{count}\n{summed}".encode())


def seal_everything(connection: Connection, keys: KeyRing) -> int:
    """Seal all rows as they stand (first start, or after an administrator has looked at every difference); how many."""
    connection.execute(text("LOCK TABLE access_seal, access_total, access_change IN ACCESS EXCLUSIVE MODE"))
    connection.execute(text("TRUNCATE access_seal, access_total, access_change"))
    counted = 0
    for table in COLUMNS:
        counted += _seal_table(connection, keys.mac, table)
    for case_id, person_id, reason, until in connection.execute(text("SELECT case_id, person_id, reason, until FROM case_grant")).all():
        connection.execute(
            text("UPDATE case_grant SET mac = :m WHERE case_id = :c AND person_id = :p AND reason = :r"),
            {"m": grant_mac(keys.mac, case_id, person_id, reason, until), "c": case_id, "p": person_id, "r": reason},
        )
        counted += 1
    return counted


def _seal_table(connection: Connection, mac: Mac, table: str) -> int:
    ids = list(connection.execute(text(f"SELECT {_row_key(table)} FROM {table}")).scalars())  # noqa: S608 (names of COLUMNS)
    _seal_rows(connection, mac, table, ids)
    return len(ids)


def seal_new_tables(connection: Connection, keys: KeyRing) -> list[str]:
    """Seal the rows of tables that were never under seal here: all at the first start, those of a new release after it. Their titles.

    Which were is written in a file beside the keys (``remember_sealed``), where somebody with the database alone can't reach it.
    """
    before = keys.noted(SEALED_ONCE)
    if not before and sealed_at_all(connection):  # sealed by a release that kept no file
        before = [name for name in COLUMNS if name not in OF_SIGN_IN]
    fresh = [name for name in COLUMNS if name not in before]
    if len(fresh) == len(COLUMNS):
        seal_everything(connection, keys)
    else:
        for name in fresh:
            for sealed in ("access_seal", "access_total", "access_change"):
                connection.execute(text(f"DELETE FROM {sealed} WHERE table_name = :t"), {"t": name})  # noqa: S608 (three names)
            _seal_table(connection, keys.mac, name)
    return [TITLES[name] for name in fresh]


def remember_sealed(keys: KeyRing) -> None:
    """The commit that sealed all tables stands: from now on a missing seal is an alarm."""
    if set(keys.noted(SEALED_ONCE)) != set(COLUMNS):
        keys.note(SEALED_ONCE, list(COLUMNS))


def sealed_at_all(connection: Connection) -> bool:
    """Were rows of rights ever sealed in this database?"""
    return bool(connection.execute(text("SELECT EXISTS (SELECT 1 FROM access_total)")).scalar_one())


def grant_mac(mac: Mac, case_id: UUID, person_id: UUID, reason: str, until: datetime | None) -> bytes:
    """The seal of one grant of one case."""
    ends = None if until is None else until.astimezone(UTC).isoformat(timespec="microseconds")
    return mac(b"case_grant\n" + orjson.dumps([str(case_id), str(person_id), reason, ends]))


def check(connection: Connection, keys: KeyRing, *, most: int = 200) -> list[tuple[str, str, str]]:
    """(table, row, what is wrong) of every row of rights that was changed past the platform; empty when all is well."""
    found: list[tuple[str, str, str]] = []
    for table in COLUMNS:
        found += _check_table(connection, keys.mac, table)
    found += _check_grants(connection, keys.mac)
    return found[:most]


def _check_table(connection: Connection, mac: Mac, table: str) -> Iterator[tuple[str, str, str]]:
    seals = {row_key: bytes(value) for row_key, value in connection.execute(text("SELECT row_key, mac FROM access_seal WHERE table_name = :t"), {"t": table})}
    total = connection.execute(text("SELECT rows, sum, mac FROM access_total WHERE table_name = :t"), {"t": table}).one_or_none()
    summed, counted = sum(map(_number, seals.values())) % _MODULUS, len(seals)
    if total is None:
        if seals:
            yield table, "", "完整性总和不见了"
    elif (int(total.rows), int(total.sum)) != (counted, summed) or bytes(total.mac) != _total_mac(mac, table, counted, summed):
        yield table, "", f"完整性总和不符：应有 {int(total.rows)} 行，现有 {counted} 行的标记；有记录连同标记被删除、加入或换回旧值"
    for row_key, body in _bodies(connection, table):
        sealed = seals.pop(row_key, None)
        if sealed is None:
            yield table, row_key, "不经平台加入"
        elif sealed != mac(body):
            yield table, row_key, "不经平台改动"
    for row_key in seals:
        yield table, row_key, "不经平台删除"


def _check_grants(connection: Connection, mac: Mac) -> Iterator[tuple[str, str, str]]:
    query = text("SELECT case_id, person_id, reason, until, mac FROM case_grant")
    for case_id, person_id, reason, until, sealed in connection.execute(query, execution_options=_STREAM):
        if sealed is None or bytes(sealed) != grant_mac(mac, case_id, person_id, reason, until):
            yield "case_grant", f"{case_id}/{person_id}/{reason}", "不经平台加入或改动"
