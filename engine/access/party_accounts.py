"""Accounts of people outside the offices: signing up after a real-name check, signing in, and which parties they act for.

An account belongs to a natural person. It acts for the party that has the person's own number, for an enterprise whose
法定代表人 the person is, and for whatever party a one-time code on paper names. Numbers and telephones are sealed.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert

from engine.access.actors import Actor
from engine.access.bearer import new_secret, secret_hash
from engine.access.parties import identifier_index, normal_identifier, normal_phone
from engine.access.party_papers import code_hash
from engine.access.passwords import MAX_FAILURES, MAX_LENGTH, Candidate, hash_password, matches, policy_error
from engine.access.passwords import settle as settle_officer
from engine.access.sessions import browser_kind
from engine.access.sign_in_policy import Policy
from engine.access.staffing import create_person
from engine.kernel.clock import legal_date
from engine.kernel.errors import Conflict, GuichengError, Invalid
from engine.kernel.gm import KeyRing
from engine.kernel.ids import new_id
from engine.storage.tables.cases import party
from engine.storage.tables.organisation import person
from engine.storage.tables.parties import party_account, party_binding, party_code, party_session, party_try

LOCKED_FOR = timedelta(minutes=15)
IDLE, LONGEST = timedelta(hours=2), timedelta(hours=16)
NOWHERE = UUID(int=0)
WRONG = "证件号码或者密码不正确。"
LOCKED = "密码连续输错，账号已锁定，请十五分钟后再试。"
NOW_LOCKED = f"密码连续输错 {MAX_FAILURES} 次，账号锁定十五分钟。"
STRANGERS = Policy(failures=MAX_FAILURES, lock_minutes=15, longest_lock_minutes=15)
LIMITS: Mapping[str, tuple[int, timedelta]] = {
    "sign_in": (30, timedelta(minutes=10)), "sign_up": (10, timedelta(minutes=10)), "bind": (10, timedelta(minutes=10)),
}


class TooOften(GuichengError):
    """One address tries faster than a person can."""

    status = 429
    code = "too_often"


@dataclass(frozen=True, kw_only=True)
class NewAccount:
    """What somebody signs up with. ``password_hash`` is made before the real-name check begins."""

    name: str
    identifier_kind: str
    identifier: str
    phone: str
    password_hash: str


@dataclass(frozen=True, kw_only=True)
class PartyUser:
    """Whoever is signed in from outside; ``parties`` maps the ids of those they act for to names."""

    account_id: UUID
    person_id: UUID
    name: str
    csrf: str
    token_hash: bytes
    parties: Mapping[UUID, str]
    agent: str = ""

    def belongs_to(self, agent: str) -> bool:
        """Is this the kind of browser that signed in? A session opened by no page belongs to any."""
        return not self.agent or browser_kind(self.agent) == browser_kind(agent)

    def acting_for(self, party_id: UUID, *, at: datetime) -> Actor:
        """The actor of an act for one of ``parties``: no post, no unit, no right."""
        named = self.parties[party_id]
        return Actor(
            account_id=self.account_id, person_id=self.person_id, name=named if named == self.name else f"{named}（{self.name}）", post_id=NOWHERE, post_code="",
            post_title="当事人", unit_id=NOWHERE, unit_name="", unit_kind="", unit_path="", district_id=None, bureau="", on=legal_date(at), party_id=party_id,
        )


def slow_down(connection: Connection, *, what: str, network: str, at: datetime) -> None:
    """Count a try; raises TooOften beyond the limit of ``what``. Commit it even when the try fails."""
    most, within = LIMITS[what]
    t = party_try.c
    tries = connection.scalar(select(func.count()).where(t.what == what, t.network == network, t.at > at - within)) or 0
    if tries >= most:
        raise TooOften(f"试得太频繁，请过{within // timedelta(minutes=1)}分钟再试。")
    connection.execute(insert(party_try).values(id=new_id(), what=what, network=network, at=at))


def check_new(connection: Connection, keys: KeyRing, *, name: str, identifier_kind: str, identifier: str, phone: str, password: str, again: str) -> NewAccount:
    """Judge what somebody wants to sign up with; raises Invalid with one message a field."""
    number, digits = normal_identifier(identifier), normal_phone(phone)
    wrong = {
        "name": "" if 2 <= len(name.strip()) <= 50 else "请填写证件上的姓名。", "identifier": "" if 6 <= len(number) <= 30 else "请填写证件号码。",
        "phone": "" if len(digits) == 11 else "请填写 11 位手机号码。", "password": policy_error(password, login=number or "-", name=name.strip()) or "",
        "again": "" if password == again else "两次填写的密码不一样。",
    }
    if not wrong["identifier"] and _find(connection, keys, identifier_kind, number) is not None:
        wrong["identifier"] = "这个证件号码已经注册过，请直接登录。"
    if any(wrong.values()):
        raise Invalid("还有要改的地方。", fields={field: text for field, text in wrong.items() if text})
    return NewAccount(name=name.strip(), identifier_kind=identifier_kind, identifier=number, phone=digits, password_hash=hash_password(password))


def sign_up(connection: Connection, keys: KeyRing, *, new: NewAccount, checked_by: str, check_number: str, at: datetime) -> UUID:
    """Open the account after the check and bind it to the party with the same number; its id. Raises Conflict when it exists."""
    if _find(connection, keys, new.identifier_kind, new.identifier) is not None:
        raise Conflict("这个证件号码已经注册过，请直接登录。")
    index, id = identifier_index(keys, kind=new.identifier_kind, identifier=new.identifier), new_id()
    person_id = create_person(connection, name=new.name, pinyin="", at=at)
    connection.execute(insert(party_account).values(
        id=id, person_id=person_id, identifier_kind=new.identifier_kind, identifier=keys.encrypt(new.identifier.encode(), b"party_account.identifier:" + id.bytes),
        identifier_index=index, phone=keys.encrypt(new.phone.encode(), b"party_account.phone:" + id.bytes), password_hash=new.password_hash,
        checked_by=checked_by, check_number=check_number, checked_at=at, created_at=at, updated_at=at,
    ))
    bind_own(connection, keys, account_id=id, identifier_kind=new.identifier_kind, identifier=new.identifier, at=at)
    return id


def bind_own(connection: Connection, keys: KeyRing, *, account_id: UUID, identifier_kind: str, identifier: str, at: datetime, how: str = "identity") -> bool:
    """Bind the account to the party that has this number; False when no case knows it."""
    found = connection.scalar(select(party.c.id).where(party.c.identifier_kind == identifier_kind, party.c.identifier_index.in_(_indexes(keys, identifier_kind, identifier))))
    if found is not None:
        bind(connection, account_id=account_id, party_id=found, how=how, at=at)
    return found is not None


def own_number(connection: Connection, keys: KeyRing, *, account_id: UUID) -> tuple[str, str]:
    """(kind, number) that the account was opened with."""
    row = connection.execute(select(party_account.c.identifier_kind, party_account.c.identifier).where(party_account.c.id == account_id)).one()
    return row.identifier_kind, keys.decrypt(row.identifier, b"party_account.identifier:" + account_id.bytes).decode()


def reseal_account(keys: KeyRing, row: Mapping[str, Any]) -> dict[str, Any]:
    """Number and telephone of an account under the newest data key, found by the newest index key."""
    number, phone = (keys.decrypt(bytes(row[name]), f"party_account.{name}:".encode() + row["id"].bytes) for name in ("identifier", "phone"))
    return {
        "identifier": keys.encrypt(number, b"party_account.identifier:" + row["id"].bytes), "phone": keys.encrypt(phone, b"party_account.phone:" + row["id"].bytes),
        "identifier_index": identifier_index(keys, kind=row["identifier_kind"], identifier=number.decode()),
    }


def use_code(connection: Connection, *, account_id: UUID, code: str, at: datetime) -> UUID:
    """Bind the account to the party that the one-time code on the paper names; raises Invalid for a wrong, used or old one."""
    row = connection.execute(select(party_code).where(party_code.c.code_index == code_hash(code)).with_for_update()).one_or_none()
    if row is None:
        raise Invalid("没有这个签收码，请对照纸上的重新填写。", fields={"code": "签收码不对。"})
    if row.used_at is not None and row.used_by != account_id:
        raise Invalid("这个签收码已经用过了。签收码只能用一次，请和办案人员联系。", fields={"code": "已经用过。"})
    if row.expires_at <= at:
        raise Invalid("这个签收码已经过期，请和办案人员联系。", fields={"code": "已经过期。"})
    connection.execute(update(party_code).where(party_code.c.id == row.id).values(used_at=at, used_by=account_id))
    bind(connection, account_id=account_id, party_id=row.party_id, how="code", at=at)
    party_id: UUID = row.party_id
    return party_id


@dataclass(frozen=True, kw_only=True)
class Tried:
    """Who a number may mean, before the password is looked at: the hash to compare with is a decoy where nobody is meant."""

    number: str
    account_id: UUID | None
    password_hash: str


def look_up(connection: Connection, keys: KeyRing, *, identifier: str) -> Tried:
    """The account with this number; reads only, so that no connection waits while ``proves`` computes."""
    a, number = party_account.c, normal_identifier(identifier)
    wanted = [one for kind in KINDS for one in _indexes(keys, kind, identifier)]
    row = connection.execute(select(a.id, a.password_hash).where(a.identifier_index.in_(wanted), a.active)).first()
    return Tried(number=number, account_id=row.id if row else None, password_hash=row.password_hash if row else _decoy())


def proves(tried: Tried, password: str) -> bool:
    """Is ``password`` theirs? Takes the same time where nobody is meant."""
    right = matches(tried.password_hash, password[:MAX_LENGTH])
    return right and tried.account_id is not None and len(password) <= MAX_LENGTH


def settle(connection: Connection, *, tried: Tried, right: bool, at: datetime) -> tuple[UUID | None, str]:
    """(account id, "") or (None, why not in Chinese); five wrong passwords lock for a while, also a number that nobody has."""
    if tried.account_id is None:
        nobody = Candidate(login=f"party:{tried.number}", account_id=None, password_hash="")
        told = settle_officer(connection, candidate=nobody, right=False, at=at, policy=STRANGERS)
        return None, LOCKED if "已锁定" in (told.refusal or "") else NOW_LOCKED if told.locked else WRONG
    a = party_account.c
    row = connection.execute(select(a.failures, a.locked_until, a.password_hash).where(a.id == tried.account_id).with_for_update()).one()
    if row.locked_until is not None and row.locked_until > at:
        return None, LOCKED
    if not right or row.password_hash != tried.password_hash:
        locked = row.failures + 1 >= MAX_FAILURES
        connection.execute(update(party_account).where(a.id == tried.account_id).values(failures=0 if locked else row.failures + 1, locked_until=at + LOCKED_FOR if locked else None))
        return None, NOW_LOCKED if locked else WRONG
    connection.execute(update(party_account).where(a.id == tried.account_id).values(failures=0, locked_until=None))
    return tried.account_id, ""


def open_session(connection: Connection, *, account_id: UUID, at: datetime, agent: str = "") -> str:
    """The token for the cookie; the table keeps its hash."""
    token = new_secret()
    connection.execute(insert(party_session).values(
        token_hash=secret_hash(token), account_id=account_id, csrf=new_secret(), created_at=at, seen_at=at, expires_at=at + IDLE, agent=agent[:300],
    ))
    return token


def close_session(connection: Connection, *, token_hash: bytes) -> None:
    """Sign out."""
    connection.execute(party_session.delete().where(party_session.c.token_hash == token_hash))


def resolve_session(connection: Connection, *, token: str, at: datetime) -> PartyUser | None:
    """Who sends a request from outside, with the parties they act for; None when nobody is signed in."""
    hashed, s, a = secret_hash(token), party_session.c, party_account.c
    named = select(func.json_object_agg(party.c.id, party.c.name)).join(party_binding, party_binding.c.party_id == party.c.id).where(
        party_binding.c.account_id == a.id, party_binding.c.ended_at.is_(None)).correlate(party_account).scalar_subquery()
    row = connection.execute(
        select(a.id, a.person_id, person.c.name, s.csrf, s.agent, named.label("parties")).select_from(
            party_session.join(party_account, a.id == s.account_id).join(person, person.c.id == a.person_id))
        .where(s.token_hash == hashed, s.expires_at > at, a.active)
    ).one_or_none()
    if row is None:
        return None
    parties = {UUID(id): name for id, name in (row.parties or {}).items()}
    return PartyUser(account_id=row.id, person_id=row.person_id, name=row.name, csrf=row.csrf, token_hash=hashed, parties=parties, agent=row.agent)


def touch_session(connection: Connection, *, token_hash: bytes, at: datetime) -> None:
    """Move the idle limit on, at most once a minute, never beyond sixteen hours."""
    s = party_session.c
    connection.execute(update(party_session).where(s.token_hash == token_hash, s.seen_at < at - timedelta(minutes=1)).values(
        seen_at=at, expires_at=func.least(s.created_at + LONGEST, at + IDLE)))


KINDS = {
    "id_card": "居民身份证", "passport": "外国（地区）护照", "hk_macao_permit": "港澳居民来往内地通行证", "taiwan_permit": "台湾居民来往大陆通行证",
    "foreign_residence": "外国人永久居留身份证", "hk_macao_residence": "港澳居民居住证", "taiwan_residence": "台湾居民居住证",
}
"""Documents that a natural person may sign up with."""


def _find(connection: Connection, keys: KeyRing, kind: str, number: str) -> UUID | None:
    found: UUID | None = connection.scalar(select(party_account.c.id).where(party_account.c.identifier_index.in_(_indexes(keys, kind, number))))
    return found


def _indexes(keys: KeyRing, kind: str, number: str) -> list[bytes]:
    """The blind index under every key that is still asked."""
    text = f"party.identifier:{kind}:{normal_identifier(number)}".encode()
    return [keys.index(text, version=version) for version in keys.index_keys]


def bind(connection: Connection, *, account_id: UUID, party_id: UUID, how: str, at: datetime) -> None:
    """Let the account act for the party from now on; ``how`` is identity, representative or code."""
    made = insert(party_binding).values(account_id=account_id, party_id=party_id, how=how, at=at)
    connection.execute(made.on_conflict_do_update(index_elements=["account_id", "party_id"], set_={"ended_at": None, "how": how}))


@cache
def _decoy() -> str:
    return hash_password("a password nobody has")


