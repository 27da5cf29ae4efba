"""A small town for walks: one market-regulation district with two stations, three sections, and invented people with seals."""
from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from engine.access.actors import Actor, find_actor_by_login
from engine.access.passwords import hash_password
from engine.access.staffing import create_account, create_person, create_unit, give_post
from engine.documents.seals import create_personal_seal, create_unit_seal, grant_seal
from engine.storage.tables.organisation import account, unit

SINCE, UNTIL = date(2020, 1, 1), date(2035, 12, 31)
PASSWORD = "Guicheng-2026"
UNITS = (
    ("city", "city_bureau", None, "上海市示范市场监督管理局", "沪市监"),
    ("city_section", "section", "city", "市局执法稽查处", ""),
    ("city_legal", "legal_section", "city", "市局法规处", ""),
    ("district", "district_bureau", "city", "上海市云浦区市场监督管理局", "沪市监云"),
    ("case_section", "section", "district", "执法稽查科", ""),
    ("quality_section", "section", "district", "质量监督科", ""),
    ("legal_section", "legal_section", "district", "法制科", ""),
    ("station_one", "station", "district", "第一市场监督管理所", ""),
    ("station_two", "station", "district", "第二市场监督管理所", ""),
)
PEOPLE = (
    ("officer", "顾明川", "station_one", "officer", "承办人"), ("officer_two", "程砚白", "station_one", "officer", "承办人"),
    ("head", "周启衡", "station_one", "unit_head", "办案机构负责人"), ("staff", "苏念安", "case_section", "section_staff", "科室工作人员"),
    ("section_head", "叶知行", "case_section", "section_head", "科室负责人"), ("joint_staff", "沈听澜", "quality_section", "section_staff", "科室工作人员"),
    ("joint_head", "韩一舟", "quality_section", "section_head", "科室负责人"), ("chief", "沈砚秋", "district", "bureau_head", "办案机关负责人"),
    ("other_officer", "莫怀瑾", "station_two", "officer", "承办人"), ("other_head", "白晓棠", "station_two", "unit_head", "办案机构负责人"),
    ("keeper", "陆知微", "city", "clerk", "值守人员"),
    ("legal_staff", "江映雪", "legal_section", "legal_staff", "法制审核人员"), ("legal_head", "方砚秋", "legal_section", "legal_head", "法制机构负责人"),
    ("city_legal_head", "乔书衡", "city_legal", "legal_head", "市局法制机构负责人"), ("archivist", "温如岚", "case_section", "archivist", "档案管理员"),
)
RIGHTS = {"keeper": ("analyst", "operator", "see_all_cases")}


@dataclass
class Town:
    """``units`` and ``people`` by their short name; ``actor(login)`` signs somebody in without a password."""

    app: Any
    units: dict[str, UUID] = field(default_factory=dict)
    people: dict[str, UUID] = field(default_factory=dict)

    def actor(self, login: str) -> Actor:
        with self.app.db.connect() as connection:
            found = find_actor_by_login(connection, login=login, on=self.app.clock.today())
        assert found is not None, login
        return found


def build_town(app: Any, *, seals: bool = True) -> Town:
    """Insert the town as of the application's clock; all accounts share ``PASSWORD``."""
    town, at = Town(app), app.clock.now()
    hashed = hash_password(PASSWORD)
    with app.db.begin() as connection:
        for code, kind, parent, name, word in UNITS:
            town.units[code] = create_unit(
                connection, parent_id=town.units[parent] if parent else None, bureau="market_regulation", kind=kind, code=code, name=name,
                short_name=name[-6:], number_word=word, at=at,
            )
        for login, name, unit, code, title in PEOPLE:
            _seat(connection, town, login, name, unit, code, title, hashed, at)
        if seals:
            _make_seals(app, connection, town, at)
    return town


def _seat(connection: Connection, town: Town, login: str, name: str, unit: str, code: str, title: str, hashed: str, at: datetime) -> None:
    id = create_person(connection, name=name, pinyin=login, at=at, certificate_number=f"0900{len(town.people):04}", certificate_until=UNTIL)
    give_post(connection, person_id=id, unit_id=town.units[unit], code=code, title=title, valid_from=SINCE, main=True)
    create_account(connection, person_id=id, login=login, password_hash=hashed, at=at, rights=RIGHTS.get(login, ()), must_change=False)
    town.people[login] = id


def _make_seals(app: Any, connection: Connection, town: Town, at: datetime) -> None:
    for kind in ("unit_enforcement", "unit_official"):
        seal_id = create_unit_seal(app, connection, unit_id=town.units["district"], kind=kind, valid_from=SINCE, valid_until=UNTIL, at=at, demo=True)
        grant_seal(connection, seal_id=seal_id, valid_from=SINCE, post="bureau_head")
    for id in town.people.values():
        create_personal_seal(app, connection, person_id=id, pin=None, valid_from=SINCE, valid_until=UNTIL, at=at, organisation="云浦区", demo=True)


def read_town(app: Any) -> Town:
    """The town that ``build_town`` made in this database."""
    with app.db.connect() as connection:
        units = {row.code: row.id for row in connection.execute(select(unit.c.code, unit.c.id))}
        people = {row.login: row.person_id for row in connection.execute(select(account.c.login, account.c.person_id))}
    return Town(app, units=units, people=people)
