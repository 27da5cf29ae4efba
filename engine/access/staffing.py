"""Making and changing units, people, posts and accounts. Membership is dated and never deleted."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert

from engine.access.actors import RIGHTS
from engine.access.certificates import LONG_AGO, give_certificate
from engine.access.exclusive import require_apart
from engine.access.organisation import BUREAUS, UNIT_KINDS, get_unit
from engine.access.passwords import policy_error
from engine.kernel.errors import Conflict, Invalid, NotFound
from engine.kernel.gm import KeyRing
from engine.kernel.ids import new_id
from engine.storage.tables.organisation import account, person, post, session, unit


def create_unit(
    connection: Connection,
    *,
    parent_id: UUID | None,
    bureau: str,
    kind: str,
    code: str,
    name: str,
    short_name: str,
    at: datetime,
    number_word: str = "",
    area_code: str = "310000",
) -> UUID:
    """Add a unit below ``parent_id``. ``code`` is unique in the whole tree and becomes a step of its path."""
    if bureau not in BUREAUS or kind not in UNIT_KINDS or "/" in code or not code:
        raise Invalid("单位的条线、类型或代码不合要求。", fields={"code": "代码不能为空，也不能含有“/”。"})
    if connection.execute(select(unit.c.id).where(unit.c.code == code)).one_or_none():
        raise Conflict(f"单位代码 {code} 已被使用。")
    parent = None if parent_id is None else get_unit(connection, unit_id=parent_id)
    id = new_id()
    district_id = id if kind == "district_bureau" else parent.district_id if parent else None
    connection.execute(
        insert(unit).values(
            id=id,
            parent_id=parent_id,
            bureau=bureau,
            kind=kind,
            code=code,
            name=name,
            short_name=short_name,
            number_word=number_word,
            district_id=district_id,
            path=(parent.path if parent else "") + code + "/",
            area_code=area_code,
            updated_at=at,
        )
    )
    return id


def create_person(
    connection: Connection,
    *,
    name: str,
    pinyin: str,
    at: datetime,
    phone: str = "",
    keys: KeyRing | None = None,
    certificate_number: str | None = None,
    certificate_until: date | None = None,
) -> UUID:
    """Add a person; a telephone number needs ``keys`` to be sealed."""
    if not name.strip():
        raise Invalid("请填写姓名。", fields={"name": "请填写姓名。"})
    if phone and keys is None:
        raise ValueError("a telephone number is stored sealed only")
    id = new_id()
    connection.execute(
        insert(person).values(
            id=id,
            name=name.strip(),
            pinyin=pinyin,
            phone=keys.encrypt(phone.encode(), b"person.phone:" + id.bytes) if phone and keys else None,
            certificate_number=certificate_number,
            certificate_until=certificate_until,
            updated_at=at,
        )
    )
    if certificate_number:
        give_certificate(connection, person_id=id, number=certificate_number, valid_from=LONG_AGO, valid_until=certificate_until, at=at)
    return id


def give_post(
    connection: Connection,
    *,
    person_id: UUID,
    unit_id: UUID,
    code: str,
    title: str,
    valid_from: date,
    main: bool = False,
    valid_until: date | None = None,
) -> UUID:
    """Let a person hold a post from a date."""
    id = new_id()
    connection.execute(
        insert(post).values(
            id=id, person_id=person_id, unit_id=unit_id, code=code, title=title, main=main, valid_from=valid_from, valid_until=valid_until
        )
    )
    return id


def end_post(connection: Connection, *, post_id: UUID, last_day: date) -> None:
    """Let a post end after ``last_day``; sessions in it end at once. Raises NotFound, or Invalid before its first day."""
    row = connection.execute(select(post.c.valid_from).where(post.c.id == post_id).with_for_update()).one_or_none()
    if row is None:
        raise NotFound("没有这个岗位。")
    if last_day < row.valid_from - timedelta(days=1):
        raise Invalid("岗位不能在开始之前结束。", fields={"last_day": f"不能早于 {row.valid_from:%Y-%m-%d}。"})
    connection.execute(update(post).where(post.c.id == post_id).values(valid_until=last_day, main=False))
    connection.execute(session.delete().where(session.c.post_id == post_id))


def create_account(
    connection: Connection,
    *,
    person_id: UUID,
    login: str,
    password_hash: str,
    at: datetime,
    rights: Collection[str] = (),
    must_change: bool = True,
) -> UUID:
    """Give a person an account; hash the password with ``passwords.hash_password`` after ``check_new_password``."""
    login = login.strip().lower()
    if not login or not login.isascii() or not login.replace("_", "").replace(".", "").isalnum():
        raise Invalid("用户名只能用字母、数字、下划线和点。", fields={"login": "请换一个用户名。"})
    if unknown := set(rights) - set(RIGHTS):
        raise Invalid(f"没有这些权限：{'、'.join(sorted(unknown))}。", fields={"rights": "请重新选择。"})
    require_apart(rights)
    if connection.execute(select(account.c.id).where(account.c.login == login)).one_or_none():
        raise Conflict(f"用户名 {login} 已被使用。")
    id = new_id()
    connection.execute(
        insert(account).values(
            id=id,
            person_id=person_id,
            login=login,
            password_hash=password_hash,
            must_change=must_change,
            rights=sorted(rights),
            updated_at=at,
        )
    )
    return id


def check_new_password(*, login: str, name: str, password: str) -> None:
    """Raise Invalid when a first password breaks the rules."""
    error = policy_error(password, login=login, name=name)
    if error:
        raise Invalid(error, fields={"password": error})


def set_rights(connection: Connection, *, account_id: UUID, rights: Collection[str], at: datetime) -> None:
    """Replace the global rights of an account; raises Invalid on an unknown one, NotFound without the account."""
    if unknown := set(rights) - set(RIGHTS):
        raise Invalid(f"没有这些权限：{'、'.join(sorted(unknown))}。", fields={"rights": "请重新选择。"})
    require_apart(rights)
    if not connection.execute(update(account).where(account.c.id == account_id).values(rights=sorted(rights), updated_at=at)).rowcount:
        raise NotFound("没有这个账号。")


def deactivate_account(connection: Connection, *, account_id: UUID, at: datetime) -> None:
    """Stop an account and end its sessions; the person and their history stay."""
    if not connection.execute(update(account).where(account.c.id == account_id).values(active=False, updated_at=at)).rowcount:
        raise NotFound("没有这个账号。")
    connection.execute(session.delete().where(session.c.account_id == account_id))
