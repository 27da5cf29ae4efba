"""The city's urban management bureau with two districts, their squads and people, for packs that go from one level to another."""
from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url, select

from engine.access.actors import find_actor_by_login
from engine.access.passwords import hash_password
from engine.access.staffing import create_account, create_person, create_unit, give_post
from engine.assembly import create_application
from engine.kernel.clock import FixedClock, legal_date
from engine.runtime.application import Application
from engine.storage.embedded import EmbeddedServer
from engine.storage.tables.organisation import unit
from tests.conftest import NOW, TEMPLATE, _administer, _create, _numbers, _settings
from tests.packs.walk import SINCE, Bureau, Walker
from tests.town import PASSWORD

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
    ("CG-CW", "city_demolition_office", "CG", "市拆违办公室", ""),
    ("CG-A-CW", "demolition_office", "CG-A", "云浦区拆违办公室", ""),
    ("CG-A-J1", "street_office", "CG-A", "云浦区东街道拆违办", ""),
    ("CG-A-J2", "street_office", "CG-A", "云浦区西街道拆违办", ""),
    ("CG-B-CW", "demolition_office", "CG-B", "临川区拆违办公室", ""),
    ("CG-B-J1", "street_office", "CG-B", "临川区南街道拆违办", ""),
)
PEOPLE = (
    ("city_staff", "闻人越", "CG-JD", "section_staff", "处员"), ("city_head", "司马青", "CG-JD", "section_head", "处长"),
    ("a_staff", "苏念安", "CG-A-ZF", "section_staff", "科员"), ("a_head", "叶知行", "CG-A-ZF", "section_head", "科长"),
    ("a1_head", "周启衡", "CG-A-1", "unit_head", "中队长"), ("a1_officer", "顾明川", "CG-A-1", "officer", "队员"), ("a1_second", "程砚白", "CG-A-1", "officer", "队员"),
    ("a2_head", "白晓棠", "CG-A-2", "unit_head", "中队长"), ("a2_officer", "莫怀瑾", "CG-A-2", "officer", "队员"),
    ("b_staff", "沈听澜", "CG-B-ZF", "section_staff", "科员"), ("b_head", "韩一舟", "CG-B-ZF", "section_head", "科长"),
    ("b1_head", "陆知微", "CG-B-1", "unit_head", "中队长"), ("b1_officer", "许闻笛", "CG-B-1", "officer", "队员"), ("b1_second", "罗知远", "CG-B-1", "officer", "队员"),
    ("city_works", "温如岚", "CG-CW", "section_staff", "科员"), ("city_chief", "江映雪", "CG-CW", "section_head", "主任"),
    ("a_works", "方砚秋", "CG-A-CW", "section_staff", "科员"), ("a_chief", "乔书衡", "CG-A-CW", "section_head", "主任"),
    ("a1_street", "谷雨晴", "CG-A-J1", "section_staff", "科员"), ("a1_lead", "伍思源", "CG-A-J1", "section_head", "主任"),
    ("a2_street", "穆清扬", "CG-A-J2", "section_staff", "科员"), ("b_works", "封子昂", "CG-B-CW", "section_staff", "科员"),
    ("b_chief", "倪云舒", "CG-B-CW", "section_head", "主任"), ("b1_street", "水心怡", "CG-B-J1", "section_staff", "科员"),
    ("b2_head", "秦望舒", "CG-B-2", "unit_head", "中队长"), ("b2_officer", "陶一鸣", "CG-B-2", "officer", "队员"),
)


def found_squads(app: Application, at: datetime) -> Bureau:
    """Two districts with two squads each below one city bureau; all accounts share the town's password."""
    bureau, hashed = Bureau(), hash_password(PASSWORD)
    with app.db.begin() as connection:
        for code, kind, parent, name, word in UNITS:
            bureau.units[code] = create_unit(
                connection, parent_id=bureau.units[parent] if parent else None, bureau="urban_management", kind=kind, code=code, name=name,
                short_name=name[-5:], number_word=word, at=at,
            )
        for login, name, where, post, title in PEOPLE:
            id = create_person(connection, name=name, pinyin=login, at=at)
            give_post(connection, person_id=id, unit_id=bureau.units[where], code=post, title=title, valid_from=SINCE, main=True)
            create_account(connection, person_id=id, login=login, password_hash=hashed, at=at, must_change=False)
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


@pytest.fixture(scope="session")
def _squads_template(postgres_server: EmbeddedServer, postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, dict[Any, Any]]:
    """A database with all content and the squads of two districts, its data folder, and what was compiled once for all walks."""
    name = f"squads_template_{next(_numbers)}"  # one for the packs' walks, one for the journeys
    _create(postgres_server, name, template=make_url(postgres_url).database or TEMPLATE)
    folder = tmp_path_factory.mktemp("squads")
    app = create_application(_settings(postgres_server.url(name), folder), clock=FixedClock(NOW))
    found_squads(app, app.clock.now())
    app.db.dispose()
    return name, folder, app.cache


@pytest.fixture
def squads(postgres_server: EmbeddedServer, _squads_template: tuple[str, Path, dict[Any, Any]], clock: FixedClock, tmp_path: Path) -> Iterator[Walker]:
    """A walker among the squads of tests/packs/squads.py, in a fresh copy; nobody has done anything yet."""
    template, folder, compiled = _squads_template
    name = f"squads_{next(_numbers)}"
    _create(postgres_server, name, template=template)
    shutil.copytree(folder, tmp_path / "data")
    app = create_application(_settings(postgres_server.url(name), tmp_path / "data"), clock=clock, sync=False)
    app.cache = compiled
    yield Walker(app, read_squads(app, app.clock.now()))
    app.db.dispose()
    _administer(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")
