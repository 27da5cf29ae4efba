"""Seals and signatures as things: key pair, certificate, picture. Making, revoking, granting, and the 签章密码."""
from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import Connection, Row, select, update

from engine.documents.drawing import draw_personal_signature, draw_unit_seal, normalise_image
from engine.documents.services import Services
from engine.documents.store import store
from engine.documents.template import SEAL_KINDS
from engine.kernel.clock import SHANGHAI
from engine.kernel.errors import Forbidden, Invalid, NotFound
from engine.kernel.gm import KeyRing, sm2_generate
from engine.kernel.ids import new_id
from engine.storage.tables.documents import seal, seal_permission, seal_policy
from engine.storage.tables.organisation import person, unit

_hasher = PasswordHasher(time_cost=5, memory_cost=19_456, parallelism=1)
MIN_PIN = 6


def create_unit_seal(
    app: Services, connection: Connection, *, unit_id: UUID, kind: str, valid_from: date, valid_until: date, at: datetime,
    image: bytes | None = None, demo: bool = False,
) -> UUID:
    """A seal of a unit: ``kind`` is unit_official or unit_enforcement; ``image`` a scan, else one is drawn. Both days count."""
    if kind not in SEAL_KINDS:
        raise Invalid(f"没有这种印章：{kind}")
    name = connection.scalar(select(unit.c.name).where(unit.c.id == unit_id))
    if name is None:
        raise NotFound("没有这个单位。")
    shown = "" if kind == "unit_official" else SEAL_KINDS[kind]
    picture = _picture(image) if image else draw_unit_seal(name=name, kind_title=shown, demo=demo)
    return _create(
        app, connection, kind=kind, title=SEAL_KINDS[kind], name=SEAL_KINDS[kind], organisation=name, picture=picture,
        valid_from=valid_from, valid_until=valid_until, at=at, unit_id=unit_id,
    )


def create_personal_seal(
    app: Services, connection: Connection, *, person_id: UUID, pin: str | None, valid_from: date, valid_until: date, at: datetime,
    organisation: str = "", image: bytes | None = None, demo: bool = False,
) -> UUID:
    """A person's signature with its 签章密码 (at least 6 characters; None for none). A former one of the person is revoked."""
    name = connection.scalar(select(person.c.name).where(person.c.id == person_id))
    if name is None:
        raise NotFound("没有这个人。")
    if pin is not None and len(pin) < MIN_PIN:
        raise Invalid("签章密码太短。", fields={"pin": f"签章密码至少 {MIN_PIN} 位"})
    picture = _picture(image) if image else draw_personal_signature(name=name, demo=demo)
    connection.execute(update(seal).where(seal.c.person_id == person_id, seal.c.state == "active").values(state="revoked"))
    return _create(
        app, connection, kind="personal", title=f"{name}签名", name=name, organisation=organisation or "个人", picture=picture,
        valid_from=valid_from, valid_until=valid_until, at=at, person_id=person_id, pin_hash=_hasher.hash(pin) if pin else None,
    )


def grant_seal(
    connection: Connection, *, seal_id: UUID, valid_from: date, person_id: UUID | None = None, post: str | None = None,
    valid_until: date | None = None, source: str = "",
) -> UUID:
    """Let a person, or every holder of ``post`` in the seal's unit, use a seal."""
    if (person_id is None) == (post is None):
        raise Invalid("用印权限应给某个人，或给某个岗位，二者择一。")
    id = new_id()
    connection.execute(seal_permission.insert().values(
        id=id, seal_id=seal_id, person_id=person_id, post=post, valid_from=valid_from, valid_until=valid_until, source=source
    ))
    return id


def set_seal_policy(
    connection: Connection, *, unit_id: UUID, template: str, seal_kind: str, valid_from: date, valid_until: date | None = None
) -> UUID:
    """Which seal a bureau puts on ``template`` (or ``*``) from a day on."""
    if seal_kind not in SEAL_KINDS:
        raise Invalid(f"没有这种印章：{seal_kind}")
    id = new_id()
    connection.execute(seal_policy.insert().values(
        id=id, unit_id=unit_id, template=template, seal_kind=seal_kind, valid_from=valid_from, valid_until=valid_until
    ))
    return id


def revoke_seal(connection: Connection, *, seal_id: UUID) -> None:
    """End a seal; what it sealed stays valid."""
    if connection.execute(update(seal).where(seal.c.id == seal_id).values(state="revoked")).rowcount != 1:
        raise NotFound("没有这枚印章。")


def find_personal_seal(connection: Connection, *, person_id: UUID, on: date) -> Row[Any] | None:
    """The person's signature that is valid on a day."""
    return personal_seals(connection, person_ids=[person_id], on=on).get(person_id)


def personal_seals(connection: Connection, *, person_ids: Collection[UUID], on: date) -> dict[UUID, Row[Any]]:
    """The signatures of several people that are valid on a day, by person."""
    if not person_ids:
        return {}
    query = select(seal).where(
        seal.c.person_id.in_(person_ids), seal.c.kind == "personal", seal.c.state == "active",
        seal.c.valid_from <= on, seal.c.valid_until >= on,
    )
    return {row.person_id: row for row in connection.execute(query.order_by(seal.c.created_at))}


def check_pin(connection: Connection, *, person_id: UUID, pin: str, on: date) -> None:
    """Raise Forbidden unless ``pin`` is the 签章密码 of the person's signature; a signature without one takes any."""
    found = find_personal_seal(connection, person_id=person_id, on=on)
    if found is None:
        raise NotFound("还没有个人签名，请先申请。")
    if found.pin_hash is None:
        return
    try:
        _hasher.verify(found.pin_hash, pin)
    except (VerifyMismatchError, InvalidHashError):
        raise Forbidden("签章密码不正确。", code="wrong_pin") from None


def private_key_of(keys: KeyRing, row: Row[Any]) -> bytes:
    """The 32-byte key of a seal's row."""
    return keys.decrypt(row.private_key, _aad(row.id))


def _create(
    app: Services, connection: Connection, *, kind: str, title: str, name: str, organisation: str, picture: bytes, valid_from: date,
    valid_until: date, at: datetime, unit_id: UUID | None = None, person_id: UUID | None = None, pin_hash: str | None = None,
) -> UUID:
    if valid_until < valid_from:
        raise Invalid("印章有效期的止日早于起日。")
    id, pair = new_id(), sm2_generate()
    certificate = app.keys.issue_certificate(
        public=pair.public, name=name, organisation=organisation,
        valid_from=datetime.combine(valid_from, time.min, SHANGHAI).astimezone(UTC),
        valid_until=datetime.combine(valid_until, time(23, 59, 59), SHANGHAI).astimezone(UTC),
    )
    connection.execute(seal.insert().values(
        id=id, kind=kind, unit_id=unit_id, person_id=person_id, title=title, certificate=certificate, pin_hash=pin_hash,
        image_sm3=store(app, connection, picture, content_type="image/png", at=at), private_key=app.keys.encrypt(pair.private, _aad(id)),
        valid_from=valid_from, valid_until=valid_until, state="active", created_at=at,
    ))
    return id


def _aad(id: UUID) -> bytes:
    """Binds a wrapped key to its row, so that a key can't be moved to another seal."""
    return b"seal:" + id.bytes


def _picture(data: bytes) -> bytes:
    try:
        return normalise_image(data)
    except ValueError as error:
        raise Invalid(f"印模图片不能用：{error}", fields={"image": str(error)}) from error
