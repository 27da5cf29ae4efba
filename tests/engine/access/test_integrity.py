from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest
from sqlalchemy import create_engine, text

from engine.access import guarding, integrity, party_accounts, second_factor, sign_in_certificates
from engine.access.certificates import give_certificate
from engine.access.parties import PartyInput, save_party
from engine.access.passwords import hash_password
from engine.access.staffing import create_person
from engine.kernel.gm import sm2_generate
from engine.kernel.gm.certificates import to_pem
from engine.storage.access_triggers import COLUMNS, OF_SIGN_IN
from tests.town import PASSWORD


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
OF_SIGNING_IN = (
    ("INSERT INTO sign_in_policy (id, valid_from, changes, reason, by_name, at) VALUES (gen_random_uuid(), '2020-01-01', '{\"failures\": 20}', 'x', 'x', now())", "sign_in_policy", "不经平台加入"),
    ("UPDATE certificate SET valid_until = '2099-12-31'", "certificate", "不经平台改动"),
    ("UPDATE sign_in_certificate SET account_id = (SELECT id FROM account WHERE login = 'chief')", "sign_in_certificate", "不经平台改动"),
    ("UPDATE sign_in_certificate SET revoked_at = NULL", "sign_in_certificate", "不经平台改动"),
    ("DELETE FROM second_factor", "second_factor", "不经平台删除"),
    ("UPDATE recovery_code SET used_at = NULL WHERE used_at IS NOT NULL", "recovery_code", "不经平台改动"),
    ("UPDATE party_account SET password_hash = 'x'", "party_account", "不经平台改动"),
    ("UPDATE party_binding SET ended_at = NULL", "party_binding", "不经平台改动"),
    ("INSERT INTO party_binding (account_id, party_id, how, at) SELECT a.id, p.id, 'code', now() FROM party_account a, party p WHERE p.name = '闻人雪'", "party_binding", "不经平台加入"),
)


def town_person(connection: Any) -> Any:
    return connection.scalar(text("SELECT person_id FROM account WHERE login = 'officer'"))


def furnish(app: Any) -> list[str]:
    """One row of every table that has to do with signing in, all made by the platform; the secrets that were used."""
    at = app.clock.now()
    with app.db.begin() as connection:
        account_id, name = connection.execute(text("SELECT a.id, p.name FROM account a JOIN person p ON p.id = a.person_id WHERE login = 'officer'")).one()
        der = app.keys.issue_certificate(public=sm2_generate().public, name=name, organisation="所", valid_from=at - timedelta(days=1), valid_until=at + timedelta(days=9))
        bound = sign_in_certificates.bind(connection, app.keys, account_id=account_id, certificate=to_pem(der, "CERTIFICATE"), folder=Path("/nowhere"), by_name="试", at=at, name=name)
        assert bound.name == name
        connection.execute(text("UPDATE sign_in_certificate SET revoked_at = now()"))
        give_certificate(connection, person_id=town_person(connection), number="310-0001", valid_from=at.date(), at=at)
        enrolment = second_factor.begin(connection, app.keys, account_id=account_id, at=at)
        codes = second_factor.confirm(connection, app.keys, account_id=account_id, code=pyotp.TOTP(enrolment.secret).at(at), at=at)
        assert second_factor.check(connection, app.keys, account_id=account_id, code=codes[0], at=at) == "recovery"
        for person, number in (("姜小满", "310101199003074618"), ("闻人雪", "310101198001011234")):
            save_party(connection, app.keys, given=PartyInput(kind="person", name=person, identifier_kind="id_card", identifier=number), at=at)
        new = party_accounts.NewAccount(name="姜小满", identifier_kind="id_card", identifier="310101199003074618", phone="13800000000", password_hash=hash_password("x"))
        party_accounts.sign_up(connection, app.keys, new=new, checked_by="试", check_number="1", at=at)
        connection.execute(text("UPDATE party_binding SET ended_at = now()"))
    return [enrolment.secret, *codes, "310101199003074618", "310101198001011234", "13800000000", PASSWORD]


@pytest.mark.requirement("NFM-050")
@pytest.mark.requirement("NFR-061")
@pytest.mark.requirement("NFM-014")
@pytest.mark.requirement("NFR-095")
def test_nothing_secret_of_anybody_lies_open_in_the_database(town: Any) -> None:
    """What is kept of passwords, second factors, numbers and telephones can be read by nobody; that nobody changes it is the next test's matter."""
    secrets = furnish(town.app)
    with town.app.db.connect() as connection:
        tables = connection.execute(text("SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables WHERE schemaname IN ('public', 'reg')")).scalars().all()
        assert len(tables) > 80
        for table in tables:
            for row in connection.execute(text(f"SELECT t::text FROM {table} t")).scalars():
                found = [one for one in secrets if one in row or one.encode().hex() in row or one.replace("-", "") in row]
                assert not found, (table, found)


@pytest.mark.requirement("NFM-050")
@pytest.mark.requirement("NFR-061")
@pytest.mark.requirement("NFR-066")
@pytest.mark.requirement("NFR-092")
@pytest.mark.requirement("NFR-095")
def test_a_row_of_rights_changed_past_the_platform_is_named_also_with_the_triggers_off(town: Any) -> None:
    app = town.app
    furnish(app)
    assert found(app) == set()
    for quiet, attacks in ((False, ATTACKS), (True, ATTACKS), (True, OF_SIGNING_IN)):
        for statement, table, what in attacks:
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


def test_tables_of_a_new_release_are_sealed_once_and_seals_taken_away_later_are_missed(town: Any) -> None:
    app = town.app
    furnish(app)
    outside(app, *(f"DELETE FROM {sealed} WHERE table_name IN {OF_SIGN_IN}" for sealed in ("access_seal", "access_total")))  # as an older release left them
    assert {table for table, _ in found(app)} == set(OF_SIGN_IN) - {"sign_in_policy"}
    guarding.anchor(app)
    assert found(app) == set() and set(app.keys.noted(integrity.SEALED_ONCE)) == set(COLUMNS)
    with app.db.connect() as connection:
        assert "登录证书" in connection.scalar(text("SELECT object FROM audit WHERE action = 'rights.sealed'"))
    outside(app, "UPDATE account SET rights = '[\"admin\"]' WHERE login = 'officer'", "TRUNCATE access_seal, access_total, access_change")
    guarding.anchor(app)  # nothing of this may look like a first start
    with app.db.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM integrity_alarm WHERE text LIKE '%不经平台加入%'")) > 10
