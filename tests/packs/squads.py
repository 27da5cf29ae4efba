"""The city's urban management bureau with two districts, their squads and people, for packs that go from one level to another."""
from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from engine.access.actors import find_actor_by_login
from engine.access.staffing import create_unit
from engine.kernel.clock import legal_date
from engine.runtime.application import Application
from engine.storage.tables.organisation import unit
from tests.packs.walk import Bureau, _hire

UNITS = (
    ("CG", "city_bureau", None, "上海市示范城市管理行政执法局", "沪城管"),
    ("CG-JD", "section", "CG", "市局执法监督处", ""),
    ("CG-A", "district_bureau", "CG", "云浦区城市管理行政执法局", "沪城管云"),
    ("CG-A-ZF", "section", "CG-A", "云浦区局执法科", ""),
    ("CG-A-1", "squad", "CG-A", "云浦区一中队", ""),
    ("CG-A-2", "squad", "CG-A", "云浦区二中队", ""),
    ("CG-B", "district_bureau", "CG", "临川区城市管理行政执法局", "沪城管临"),
    ("CG-B-ZF", "section", "CG-B", "临川区局执法科", ""),
    ("CG-B-1", "squad", "CG-B", "临川区一中队", ""),
    ("CG-B-2", "squad", "CG-B", "临川区二中队", ""),
)
PEOPLE = (
    ("city_staff", "闻人越", "CG-JD", "section_staff", "处员"), ("city_head", "司马青", "CG-JD", "section_head", "处长"),
    ("a_staff", "苏念安", "CG-A-ZF", "section_staff", "科员"), ("a_head", "叶知行", "CG-A-ZF", "section_head", "科长"),
    ("a1_head", "周启衡", "CG-A-1", "unit_head", "中队长"), ("a1_officer", "顾明川", "CG-A-1", "officer", "队员"), ("a1_second", "程砚白", "CG-A-1", "officer", "队员"),
    ("a2_head", "白晓棠", "CG-A-2", "unit_head", "中队长"), ("a2_officer", "莫怀瑾", "CG-A-2", "officer", "队员"),
    ("b_staff", "沈听澜", "CG-B-ZF", "section_staff", "科员"), ("b_head", "韩一舟", "CG-B-ZF", "section_head", "科长"),
    ("b1_head", "陆知微", "CG-B-1", "unit_head", "中队长"), ("b1_officer", "许闻笛", "CG-B-1", "officer", "队员"), ("b1_second", "罗知远", "CG-B-1", "officer", "队员"),
    ("b2_head", "秦望舒", "CG-B-2", "unit_head", "中队长"), ("b2_officer", "陶一鸣", "CG-B-2", "officer", "队员"),
)


def found_squads(app: Application, at: datetime) -> Bureau:
    """Two districts with two squads each below one city bureau; everybody has a personal seal."""
    bureau = Bureau()
    with app.db.begin() as connection:
        for code, kind, parent, name, word in UNITS:
            bureau.units[code] = create_unit(
                connection, parent_id=bureau.units[parent] if parent else None, bureau="urban_management", kind=kind, code=code, name=name,
                short_name=name[-5:], number_word=word, at=at,
            )
        for login, name, where, post, title in PEOPLE:
            _hire(app, connection, login=login, name=name, unit_id=bureau.units[where], post=post, title=title, at=at)
    return read_squads(app, at)


def read_squads(app: Application, at: datetime) -> Bureau:
    """The bureau that ``found_squads`` made in this database."""
    bureau = Bureau()
    with app.db.connect() as connection:
        bureau.units = {row.code: row.id for row in connection.execute(select(unit.c.code, unit.c.id))}
        for login, *_ in PEOPLE:
            actor = find_actor_by_login(connection, login=login, on=legal_date(at))
            assert actor is not None
            bureau.actors[login] = actor
    return bureau
