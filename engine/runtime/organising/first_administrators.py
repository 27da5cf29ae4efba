"""An empty platform gets its first unit and its three administrators, each with a password of chance that is shown once and changed at the first sign-in."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, func, select

from engine.access.audit import note
from engine.access.exclusive import EXCLUSIVE, WORDS
from engine.access.passwords import hash_password
from engine.access.staffing import create_account, create_person, create_unit, give_post
from engine.kernel.clock import legal_date
from engine.kernel.errors import Conflict, Invalid
from engine.reference.pinyin import pinyin_key
from engine.runtime.application import Application
from engine.runtime.organising.accounts import first_password
from engine.storage.tables.organisation import account

POST = "administrator"


@dataclass(frozen=True, kw_only=True)
class Appointed:
    """One administrator: what they may do, their login, and the password that is told once."""

    right: str
    name: str
    login: str
    password: str


def appoint(app: Application, *, unit_name: str, bureau: str, people: Mapping[str, tuple[str, str]], at: datetime) -> list[Appointed]:
    """Make unit and accounts; ``people`` maps each of the three rights to (name, login). Raises Conflict when anybody has an account, Invalid."""
    if set(people) != EXCLUSIVE or len({login.lower() for _, login in people.values()}) != len(people):
        raise Invalid("系统管理、安全管理、安全审计要各有一个人，用户名各不相同。")
    made = [Appointed(right=right, name=name.strip(), login=login.strip().lower(), password=first_password()) for right, (name, login) in sorted(people.items())]
    if not unit_name.strip() or not all(one.name and one.login for one in made):
        raise Invalid("单位名称、姓名、用户名都要写。")
    with app.db.begin() as connection:
        if connection.scalar(select(func.count()).select_from(account)):
            raise Conflict("平台上已经有账号，没有再建。请由系统管理员在“组织”里开账号；忘了密码由系统管理员重置。")
        unit_id = create_unit(connection, parent_id=None, bureau=bureau, kind="city_bureau", code="ROOT", name=unit_name.strip(), short_name=unit_name.strip()[-12:], number_word="", at=at)
        for one in made:
            _seat(connection, one, unit_id, at)
        names = {WORDS[one.right]: one.name for one in made}
        note(connection, actor=None, at=at, action="account.first", object=unit_name.strip(), detail={"people": names})
    return made


def _seat(connection: Connection, one: Appointed, unit_id: UUID, at: datetime) -> None:
    person_id = create_person(connection, name=one.name, pinyin=pinyin_key(one.name, person=True), at=at)
    give_post(connection, person_id=person_id, unit_id=unit_id, code=POST, title=f"{WORDS[one.right]}员", valid_from=legal_date(at), main=True)
    create_account(connection, person_id=person_id, login=one.login, password_hash=hash_password(one.password), at=at, rights=(one.right,), must_change=True)
