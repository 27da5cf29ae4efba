"""Every place where sealed texts are kept: what is still under an old key, and how one row is sealed again."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from engine.access.parties import reseal_party
from engine.access.party_accounts import reseal_account
from engine.kernel.gm import KeyRing
from engine.registers.catalogue import registers_of
from engine.runtime.application import Application
from engine.runtime.secrets import AAD, MARK
from engine.storage.database import dump_json

Reseal = Callable[[KeyRing, Mapping[str, Any]], dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Store:
    """One table. ``old`` is the SQL condition of rows still under an old key (``:v`` the newest version, ``:hex`` it in hex), ``key`` what names a row."""

    title: str
    table: str
    columns: tuple[str, ...]
    old: str
    reseal: Reseal
    json: frozenset[str] = frozenset()
    key: str = "id"

    def left(self, connection: Connection, version: int) -> int:
        """How many rows still have to be moved."""
        return int(connection.execute(text(f"SELECT count(*) FROM {self.table} WHERE {self.old}"), _values(version)).scalar_one())  # noqa: S608

    def move(self, connection: Connection, keys: KeyRing, version: int, *, after: UUID, limit: int) -> tuple[int, UUID | None]:
        """Seal up to ``limit`` rows behind ``after`` again; (how many, the last one or None at the end). Rows in use wait for their turn."""
        wanted = f"SELECT {self.key} AS id, {', '.join(self.columns)} FROM {self.table} WHERE {self.key} > :after AND {self.old} ORDER BY {self.key} LIMIT :limit FOR NO KEY UPDATE"  # noqa: S608
        rows = connection.execute(text(wanted), {**_values(version), "after": after, "limit": limit}).mappings().all()
        for row in rows:
            changed = self.reseal(keys, dict(row))
            sets = ", ".join(f"{name} = " + (f"CAST(:{name} AS jsonb)" if name in self.json else f":{name}") for name in changed)
            values = {name: dump_json(value) if name in self.json else value for name, value in changed.items()}
            connection.execute(text(f"UPDATE {self.table} SET {sets} WHERE {self.key} = :id"), {**values, "id": row["id"]})  # noqa: S608
        return len(rows), rows[-1]["id"] if rows else None


def _values(version: int) -> dict[str, Any]:
    return {"v": version, "mark": f'"\\$sealed": "(?!{version:02x})', "held": f'"data": "(?!{version:02x})', "snap": f'"sealed": "(?!{version:02x})[0-9a-f]'}


def stores(app: Application, kind: str) -> list[Store]:
    """Where texts of ``kind`` are: ``data`` all sealed ones, ``index`` those found by a keyed hash."""
    party = Store(
        title="当事人的证件号码、电话", table="party", columns=("identifier_kind", "identifier", "identifier_index", "phone", "phone_index"), reseal=reseal_party,
        old="((identifier IS NOT NULL AND get_byte(identifier, 0) <> :v) OR (phone IS NOT NULL AND get_byte(phone, 0) <> :v))",
    )
    outside = Store(
        title="当事人账号的证件号码、电话", table="party_account", columns=("identifier_kind", "identifier", "phone"), reseal=reseal_account,
        old="(get_byte(identifier, 0) <> :v OR get_byte(phone, 0) <> :v)",
    )
    if kind == "index":
        return [replace(party, old="(identifier IS NOT NULL OR phone IS NOT NULL)"), replace(outside, old="true")]
    return [party, outside, *_fixed(), *_registers(app)]


def _fixed() -> list[Store]:
    return [
        Store(title="人员电话", table="person", columns=("phone",), old="phone IS NOT NULL AND get_byte(phone, 0) <> :v", reseal=_bound("phone", b"person.phone:")),
        Store(title="印章私钥", table="seal", columns=("private_key",), old="get_byte(private_key, 0) <> :v", reseal=_bound("private_key", b"seal:")),
        Store(
            title="动态口令的密钥", table="second_factor", key="account_id", columns=("secret",), old="get_byte(secret, 0) <> :v", reseal=_bound("secret", b"second_factor:"),
        ),
        Store(title="案件里的证件号码", table="case_party", columns=("case_id", "snapshot"), json=frozenset({"snapshot"}), old="snapshot::text ~ :snap", reseal=_snapshot),
        Store(title="填报内容", table="submission", columns=("data",), json=frozenset({"data"}), old="data::text ~ :mark", reseal=_answers),
        Store(title="待加签生效的填报", table="task", columns=("held",), json=frozenset({"held"}), old="held IS NOT NULL AND held::text ~ :held", reseal=_held),
    ]


def _registers(app: Application) -> list[Store]:
    found = []
    for register, table in registers_of(app.library).values():
        names = tuple(name for name, field in register.fields.items() if field.encrypt)
        if names:
            old = " OR ".join(f'("{name}" IS NOT NULL AND get_byte("{name}", 0) <> :v)' for name in names)
            found.append(Store(title=f"台账“{register.title}”", table=f'reg."{table.name}"', columns=names, old=f"({old})", reseal=_columns(names)))
    return found


def again(keys: KeyRing, sealed: bytes, aad: bytes) -> bytes:
    """The same text under the newest key."""
    return keys.encrypt(keys.decrypt(bytes(sealed), aad), aad)


def _bound(column: str, prefix: bytes) -> Reseal:
    return lambda keys, row: {column: again(keys, row[column], prefix + row["id"].bytes)}


def _columns(names: tuple[str, ...]) -> Reseal:
    return lambda keys, row: {name: again(keys, row[name], name.encode()) for name in names if row[name] is not None}


def _snapshot(keys: KeyRing, row: Mapping[str, Any]) -> dict[str, Any]:
    sealed = again(keys, bytes.fromhex(row["snapshot"]["sealed"]), b"case_party:" + row["case_id"].bytes)
    return {"snapshot": {**row["snapshot"], "sealed": sealed.hex()}}


def _answers(keys: KeyRing, row: Mapping[str, Any]) -> dict[str, Any]:
    return {"data": _marks(keys, row["data"])}


def _marks(keys: KeyRing, data: Any) -> Any:
    if isinstance(data, dict):
        if set(data) == {MARK}:
            return {MARK: again(keys, bytes.fromhex(data[MARK]), AAD).hex()}
        return {name: _marks(keys, value) for name, value in data.items()}
    return [_marks(keys, value) for value in data] if isinstance(data, list) else data


def _held(keys: KeyRing, row: Mapping[str, Any]) -> dict[str, Any]:
    return {"held": {**row["held"], "data": again(keys, bytes.fromhex(row["held"]["data"]), AAD).hex()}}
