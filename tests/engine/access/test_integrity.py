from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import create_engine, text

from engine.access import integrity
from engine.access.staffing import create_person


def outside(app: Any, *statements: str) -> None:
    """What somebody does with psql and the database password."""
    other = create_engine(app.db.url)
    with other.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    other.dispose()


def found(app: Any) -> set[tuple[str, str]]:
    with app.db.connect() as connection:
        return {(table, what) for table, _, what in integrity.check(connection, app.keys)}


def test_what_the_platform_writes_is_sealed_in_the_same_commit(town: Any) -> None:
    app = town.app
    assert found(app) == set()
    with app.db.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM access_change")) == 0
        assert connection.scalar(text("SELECT count(*) FROM access_seal")) > 30
    with app.db.begin() as connection, connection.begin_nested():
        create_person(connection, name="向晚舟", pinyin="xwz", at=app.clock.now())
    assert found(app) == set()
    with app.db.connect() as connection:
        create_person(connection, name="不算数", pinyin="bss", at=app.clock.now())
        connection.rollback()
    assert found(app) == set()


ATTACKS = (
    ("UPDATE account SET rights = rights || '[\"admin\"]' WHERE login = 'officer'", "account", "不经平台改动"),
    ("UPDATE account SET password_hash = password_hash || 'x' WHERE login = 'chief'", "account", "不经平台改动"),
    ("UPDATE post SET code = code || 'x' WHERE person_id = (SELECT person_id FROM account WHERE login = 'officer')", "post", "不经平台改动"),
    ("INSERT INTO role_holder (id, role, post, unit_kind, scope, valid_from, source) VALUES (gen_random_uuid(), 'x.y', 'officer', 'station', 'own', '2020-01-01', '')",
     "role_holder", "不经平台加入"),
    ("DELETE FROM account WHERE login = (SELECT max(login) FROM account)", "account", "不经平台删除"),
)


@pytest.mark.requirement("NFR-066")
@pytest.mark.requirement("NFR-092")
def test_a_row_of_rights_changed_past_the_platform_is_named_also_with_the_triggers_off(town: Any) -> None:
    app = town.app
    for quiet in (False, True):
        for statement, table, what in ATTACKS:
            outside(app, *(["SET session_replication_role = replica"] if quiet else []), statement)
            assert (table, what) in found(app)
            with app.db.begin() as connection:
                integrity.seal_everything(connection, app.keys)
            assert found(app) == set()


def test_a_row_taken_away_with_its_seal_or_put_back_to_an_old_value_breaks_the_sum(town: Any) -> None:
    app = town.app
    outside(app, "CREATE TABLE kept AS SELECT * FROM access_seal")
    with app.db.begin() as connection:
        connection.execute(text("UPDATE account SET active = false WHERE login = 'officer'"))
    assert found(app) == set()
    with app.db.connect() as connection:
        id = connection.scalar(text("SELECT id::text FROM account WHERE login = 'officer'"))
    outside(app, "UPDATE account SET active = true WHERE login = 'officer'",
            f"UPDATE access_seal SET mac = kept.mac FROM kept WHERE kept.row_key = access_seal.row_key AND access_seal.row_key = '{id}'")
    assert {table for table, _ in found(app)} == {"account"}
    outside(app, "DELETE FROM api_token", "DELETE FROM access_seal WHERE table_name = 'unit'", "DELETE FROM access_total WHERE table_name = 'post'")
    assert {"account", "unit", "post"} <= {table for table, _ in found(app)}
    with app.db.begin() as connection:
        integrity.seal_everything(connection, app.keys)
    assert found(app) == set()


def test_a_grant_of_a_case_written_by_hand_is_named(town: Any) -> None:
    app = town.app
    with app.db.connect() as connection:
        person, unit = connection.execute(text("SELECT p.person_id, p.unit_id FROM post p LIMIT 1")).one()
    outside(app, "INSERT INTO case_file (id, kind, title, state, state_title, unit_id, created_at, updated_at) "
                 f"VALUES ('{person}', 'x.y', 't', 's', 's', '{unit}', now(), now())",
            f"INSERT INTO case_grant (case_id, person_id, reason, at) VALUES ('{person}', '{person}', 'shared', now())")
    assert ("case_grant", "不经平台加入或改动") in found(app)
