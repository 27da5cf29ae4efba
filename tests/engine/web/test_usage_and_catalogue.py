"""使用率 counts departments that signed in and worked; 数据目录 lists everything that is kept, field by field."""
from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from sqlalchemy import text

from engine.access import audit
from engine.web.flask_app import create_flask
from tests.browser import Browser
from tests.engine.runtime.walk import start_clue
from tests.town import Town


@pytest.fixture
def admin(town: Town) -> Any:
    with town.app.db.begin() as connection:
        connection.execute(text("UPDATE account SET rights = '[\"admin\"]' WHERE login = 'keeper'"))
    flask = create_flask(town.app)
    return lambda login: Browser(town.app, login, flask=flask)


def lines(answer: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(answer.text.lstrip("\ufeff"))))


@pytest.mark.requirement("NFM-015")
def test_departments_that_used_it_are_counted_against_all_that_it_is_meant_for(town: Town, admin: Any) -> None:
    start_clue(town)  # the first station works
    with town.app.db.begin() as connection:
        chief = town.actor("chief")
        audit.append(connection, chain=audit.chain_of(chief), at=town.app.clock.now(), actor_id=chief.person_id, actor_name=chief.name, action="登录", object="login")
        meant = connection.scalar(text("SELECT count(DISTINCT p.unit_id) FROM post p WHERE p.main"))
    keeper = admin("keeper")
    head, *rows = lines(keeper.get("/admin/organisation/usage.csv"))
    used = [row for row in rows if row[6] == "是"]
    assert len(rows) == meant and len(used) == 2 and f"使用率 2/{meant}＝{round(200 / meant, 1)}%" in head[-1]
    assert any(row[5] == "1" for row in used) and any(row[4] == "1" and row[3] == "1" for row in used)
    page = keeper.get("/admin/organisation/usage?unused=1").text
    assert f"使用的部门 2 个，计划服务的部门 {meant} 个" in page and page.count("没有使用</span>") == meant - 2
    assert "使用的部门 0 个" in keeper.get("/admin/organisation/usage?from=2020-01-01&until=2020-02-01").text
    assert admin("officer").get("/admin/organisation/usage").status_code == 403


def test_parties_are_not_among_the_people_of_the_offices(town: Town, admin: Any) -> None:
    with town.app.db.begin() as connection:
        for id in ("1" * 32, "2" * 32):
            connection.execute(text("INSERT INTO person (id, name, pinyin, updated_at) VALUES (cast(:id AS uuid), '夏知秋', 'xia zhi qiu', now())"), {"id": id})
        connection.execute(text(
            "INSERT INTO party_account (id, person_id, identifier_kind, identifier, identifier_index, phone, password_hash, checked_by, check_number, checked_at, created_at, updated_at) "
            "VALUES (gen_random_uuid(), cast(:id AS uuid), 'id_card', 'x', 'x', 'x', '-', 'x', 'x', now(), now(), now())"), {"id": "1" * 32})
    found = admin("keeper").get("/admin/organisation/people?q=夏知秋").text
    assert "22222222-2222" in found and "11111111-1111" not in found
    page = admin("keeper").get("/admin/organisation/people/22222222-2222-2222-2222-222222222222").text
    assert "没有岗位" in page


@pytest.mark.requirement("NFR-103")
def test_everything_kept_is_in_the_catalogue_with_its_fields(town: Town, admin: Any) -> None:
    keeper = admin("keeper")
    head, *rows = lines(keeper.get("/admin/catalogue.csv"))
    assert head[:3] == ["数据目录", "代号", "业务包"] and "导出" in head[-1]
    listed = {row[1] for row in rows}
    assert set(town.app.library.names("register")) | {"case_file", "party", "audit"} <= listed
    clue = [row for row in rows if row[1] == "case_filing.clue"]
    assert ["线索名称", "title"] in [row[7:9] for row in clue] and all(row[5] for row in rows)
    page = keeper.get("/admin/catalogue?q=线索").text
    assert "线索名称" in page and f"数据风险监测覆盖 {len(listed)} / {len(listed)}" in page
    assert admin("officer").get("/admin/catalogue").status_code == 403
