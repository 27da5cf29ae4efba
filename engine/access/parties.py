"""Parties (当事人): one row per natural person or organisation, and what they were called in a case when an act was done.

证件号 and 电话 are sealed with SM4-GCM and found by an HMAC-SM3 index; names stay searchable. Views are masked unless the
caller reveals them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, select
from sqlalchemy.dialects.postgresql import distinct_on, insert

from engine.kernel.errors import Invalid, NotFound
from engine.kernel.gm import KeyRing
from engine.kernel.ids import new_id
from engine.storage.tables.cases import case_party, party

KINDS = {"person": "自然人", "organisation": "单位"}
NO_IDENTIFIER = "none"


@dataclass(frozen=True, kw_only=True)
class PartyInput:
    """What a form says about a party. ``identifier_kind`` is id_card, credit_code, passport, …, or none without a number."""

    kind: str
    name: str
    identifier_kind: str = NO_IDENTIFIER
    identifier: str = ""
    phone: str = ""
    address: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class PartyView:
    """A party as a page shows it; ``identifier`` and ``phone`` are masked unless revealed."""

    id: UUID
    kind: str
    name: str
    identifier_kind: str
    identifier: str
    phone: str
    address: str
    detail: Mapping[str, Any]


def normal_identifier(text: str) -> str:
    """The number as it is indexed: half-width, upper case, without spaces and hyphens."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).upper() if c.isalnum())


def normal_phone(text: str) -> str:
    """Digits of a telephone number, without +86."""
    digits = "".join(c for c in unicodedata.normalize("NFKC", text) if c.isdigit())
    return digits[2:] if digits.startswith("86") and len(digits) == 13 else digits


def save_party(
    connection: Connection, keys: KeyRing, *, given: PartyInput, at: datetime, unit_id: UUID | None = None, district_id: UUID | None = None
) -> UUID:
    """The id of the party: a known number updates its row, anything else becomes a new one. Raises Invalid without a name."""
    _bring_forward(connection, keys, given)
    statement = _upsert(keys, given=given, at=at, unit_id=unit_id, district_id=district_id)
    return connection.execute(statement.returning(party.c.id)).scalar_one()


def save_party_of_case(
    connection: Connection, keys: KeyRing, *, given: PartyInput, case_id: UUID, at: datetime, act_id: UUID | None = None, role: str = "party",
    unit_id: UUID | None = None, district_id: UUID | None = None,
) -> UUID:
    """``save_party`` and ``attach_party`` in one statement; the id of the note on the case."""
    _bring_forward(connection, keys, given)
    saved = _upsert(keys, given=given, at=at, unit_id=unit_id, district_id=district_id).returning(party.c.id).cte("saved")
    values = _link(keys, case_id=case_id, party_id=select(saved.c.id).scalar_subquery(), given=given, at=at, act_id=act_id, role=role)
    connection.execute(insert(case_party).values(values))
    link: UUID = values["id"]
    return link


def _upsert(keys: KeyRing, *, given: PartyInput, at: datetime, unit_id: UUID | None, district_id: UUID | None) -> Any:
    name = given.name.strip()
    if given.kind not in KINDS or not name:
        raise Invalid("请填写当事人的类别和名称。", fields={"name": "请填写当事人名称。"})
    values = _sealed(keys, given) | {
        "kind": given.kind,
        "name": name,
        "address": given.address.strip(),
        "detail": dict(given.detail),
        "updated_at": at,
    }
    statement = insert(party).values(id=new_id(), unit_id=unit_id, district_id=district_id, created_at=at, **values)
    if values["identifier_index"] is not None:
        kept = {
            k: v for k, v in values.items() if k not in ("identifier_kind", "identifier", "identifier_index") and (v or k == "updated_at")
        }
        statement = statement.on_conflict_do_update(index_elements=["identifier_kind", "identifier_index"], set_=kept)
    return statement


def _sealed(keys: KeyRing, given: PartyInput) -> dict[str, Any]:
    number, phone = normal_identifier(given.identifier), normal_phone(given.phone)
    kind = given.identifier_kind if number else NO_IDENTIFIER
    index = identifier_index(keys, kind=kind, identifier=number) if number else None
    return {
        "identifier_kind": kind,
        "identifier_index": index,
        "identifier": keys.encrypt(number.encode(), _aad("identifier", index)) if number else None,
        "phone": keys.encrypt(phone.encode(), _aad("phone", index)) if phone else None,
        "phone_index": phone_index(keys, phone=phone) if phone else None,
    }


def _aad(column: str, index: bytes | None) -> bytes:
    """Binds a sealed text to its column and to the row's identity, so that it can't be moved to another party."""
    return b"party." + column.encode() + b":" + (index or b"")


def identifier_index(keys: KeyRing, *, kind: str, identifier: str, version: int | None = None) -> bytes:
    """The blind index of a number of ``kind``, under the newest index key or ``version``."""
    return keys.index(f"party.identifier:{kind}:{normal_identifier(identifier)}".encode(), version=version)


def phone_index(keys: KeyRing, *, phone: str, version: int | None = None) -> bytes:
    """The blind index of a telephone number, under the newest index key or ``version``."""
    return keys.index(f"party.phone:{normal_phone(phone)}".encode(), version=version)


def reseal_party(keys: KeyRing, row: Mapping[str, Any]) -> dict[str, Any]:
    """A party's sealed columns under the newest data key and the newest index key."""
    index = row["identifier_index"]
    number = keys.decrypt(row["identifier"], _aad("identifier", index)).decode() if row["identifier"] else ""
    phone = keys.decrypt(row["phone"], _aad("phone", index)).decode() if row["phone"] else ""
    fresh = identifier_index(keys, kind=row["identifier_kind"], identifier=number) if number else None
    return {
        "identifier_index": fresh, "identifier": keys.encrypt(number.encode(), _aad("identifier", fresh)) if number else None,
        "phone": keys.encrypt(phone.encode(), _aad("phone", fresh)) if phone else None, "phone_index": phone_index(keys, phone=phone) if phone else None,
    }


def _bring_forward(connection: Connection, keys: KeyRing, given: PartyInput) -> None:
    """While index keys change: a party known under an older one is moved first, so that its number stays unique."""
    number, newest = normal_identifier(given.identifier), max(keys.index_keys)
    for version in keys.index_keys:
        if number and version != newest:
            old = identifier_index(keys, kind=given.identifier_kind, identifier=number, version=version)
            known = (party.c.identifier_kind == given.identifier_kind) & (party.c.identifier_index == old)
            row = connection.execute(select(party).where(known).with_for_update()).mappings().one_or_none()
            if row is not None:
                connection.execute(party.update().where(party.c.id == row["id"]).values(**reseal_party(keys, dict(row))))


def get_party(connection: Connection, keys: KeyRing, *, party_id: UUID, reveal: bool = False) -> PartyView:
    """One party; raises NotFound. Revealing is the caller's to audit."""
    row = connection.execute(select(party).where(party.c.id == party_id)).one_or_none()
    if row is None:
        raise NotFound("没有这个当事人。")
    return party_view(keys, row, reveal=reveal)


def find_party_by_identifier(
    connection: Connection, keys: KeyRing, *, kind: str, identifier: str, reveal: bool = False
) -> PartyView | None:
    """The party with exactly this number, or None."""
    indexes = [identifier_index(keys, kind=kind, identifier=identifier, version=version) for version in keys.index_keys]
    row = connection.execute(select(party).where(party.c.identifier_kind == kind, party.c.identifier_index.in_(indexes))).one_or_none()
    return None if row is None else party_view(keys, row, reveal=reveal)


def find_parties(connection: Connection, keys: KeyRing, *, text: str, limit: int = 10) -> list[PartyView]:
    """Known parties by part of the name, or by a whole number or telephone."""
    text = text.strip()
    if len(text) < 2:
        return []
    number = normal_identifier(text)
    if len(number) >= 7 and number.isascii():
        by_number = [identifier_index(keys, kind=kind, identifier=number, version=version) for kind in _identifier_kinds(connection) for version in keys.index_keys]
        found = party.c.identifier_index.in_(by_number)
        rows = list(connection.execute(select(party).where(found).limit(limit)))
        rows += connection.execute(select(party).where(party.c.phone_index.in_([phone_index(keys, phone=text, version=version) for version in keys.index_keys])).limit(limit))
    else:
        rows = list(
            connection.execute(select(party).where(party.c.name.contains(text, autoescape=True)).order_by(party.c.name).limit(limit))
        )
    return [party_view(keys, row) for row in {row.id: row for row in rows}.values()][:limit]


def _identifier_kinds(connection: Connection) -> list[str]:
    return list(connection.execute(select(party.c.identifier_kind).distinct()).scalars())


def party_view(keys: KeyRing, row: Row[Any], *, reveal: bool = False) -> PartyView:
    """A ``party`` row, opened and, unless revealed, masked."""
    index = row.identifier_index
    number = keys.decrypt(row.identifier, _aad("identifier", index)).decode() if row.identifier else ""
    phone = keys.decrypt(row.phone, _aad("phone", index)).decode() if row.phone else ""
    return PartyView(
        id=row.id,
        kind=row.kind,
        name=row.name,
        identifier_kind=row.identifier_kind,
        address=row.address,
        detail=row.detail,
        identifier=number if reveal or row.kind == "organisation" else mask_identifier(number),
        phone=phone if reveal else mask_phone(phone),
    )


def mask_identifier(number: str) -> str:
    """310101********4512: the district and the last four stay."""
    return (
        number
        if len(number) < 8
        else number[:6] + "*" * (len(number) - 10) + number[-4:]
        if len(number) > 10
        else number[:2] + "****" + number[-2:]
    )


def mask_phone(phone: str) -> str:
    """138****5678."""
    return phone if len(phone) < 7 else phone[:3] + "****" + phone[-4:]


def attach_party(
    connection: Connection,
    keys: KeyRing,
    *,
    case_id: UUID,
    party_id: UUID,
    given: PartyInput,
    at: datetime,
    act_id: UUID | None = None,
    role: str = "party",
) -> UUID:
    """Note on the case who the party was when this act was done; the number stays sealed in the snapshot."""
    values = _link(keys, case_id=case_id, party_id=party_id, given=given, at=at, act_id=act_id, role=role)
    connection.execute(insert(case_party).values(values))
    link: UUID = values["id"]
    return link


def _link(keys: KeyRing, *, case_id: UUID, party_id: Any, given: PartyInput, at: datetime, act_id: UUID | None, role: str) -> dict[str, Any]:
    number = normal_identifier(given.identifier)
    snapshot = {
        "kind": given.kind,
        "name": given.name.strip(),
        "identifier_kind": given.identifier_kind,
        "address": given.address.strip(),
        "identifier": number if given.kind == "organisation" else mask_identifier(number),
        "phone": mask_phone(normal_phone(given.phone)),
        "detail": dict(given.detail),
        "sealed": keys.encrypt(number.encode(), _case_aad(case_id)).hex() if number and given.kind == "person" else "",
    }
    return {"id": new_id(), "case_id": case_id, "party_id": party_id, "role": role, "snapshot": snapshot, "at": at, "act_id": act_id}


def _case_aad(case_id: UUID) -> bytes:
    return b"case_party:" + case_id.bytes


def reveal_snapshot(keys: KeyRing, *, case_id: UUID, snapshot: Mapping[str, Any]) -> str:
    """The whole number in a snapshot; the caller audits it."""
    sealed = snapshot.get("sealed") or ""
    return keys.decrypt(bytes.fromhex(sealed), _case_aad(case_id)).decode() if sealed else str(snapshot.get("identifier", ""))


def parties_of(connection: Connection, *, case_id: UUID) -> list[Row[Any]]:
    """Parties of a case, the latest snapshot of each: party_id, role, snapshot, at."""
    c = case_party.c
    latest = (
        select(c.party_id, c.role, c.snapshot, c.at)
        .ext(distinct_on(c.party_id, c.role))
        .where(c.case_id == case_id)
        .order_by(c.party_id, c.role, c.at.desc())
        .subquery()
    )
    return list(connection.execute(select(latest).order_by(latest.c.at)))


def copy_parties(connection: Connection, keys: KeyRing, *, from_case: UUID, to_case: UUID, at: datetime) -> None:
    """Give another case the same parties; sealed numbers are sealed again for the case they now stand in."""
    for row in parties_of(connection, case_id=from_case):
        number = reveal_snapshot(keys, case_id=from_case, snapshot=row.snapshot) if row.snapshot.get("sealed") else ""
        snapshot = {**row.snapshot, "sealed": keys.encrypt(number.encode(), _case_aad(to_case)).hex() if number else ""}
        connection.execute(insert(case_party).values(
            id=new_id(), case_id=to_case, party_id=row.party_id, role=row.role, snapshot=snapshot, at=at,
        ))
