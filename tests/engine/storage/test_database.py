"""What a server must be able to do, and the first revision."""
from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, text

from engine.kernel.errors import Unavailable
from engine.kernel.settings import Settings
from engine.storage import migrate
from engine.storage.database import DatabaseUnfit, check_server, check_trigrams, dump_json, make_engine
from engine.storage.embedded import EmbeddedServer
from engine.storage.tables import metadata


def test_the_migrated_database_holds_every_declared_table(connection: Connection) -> None:
    rows = connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).scalars()
    assert {table.name for table in metadata.sorted_tables} <= set(rows)
    assert connection.execute(text("SELECT to_regnamespace('reg') IS NOT NULL")).scalar_one()


def test_migrating_again_changes_nothing(database: Engine) -> None:
    migrate.upgrade(database)
    assert migrate.current_revision(database) == migrate.newest_revision()


def test_chinese_words_have_trigrams(connection: Connection) -> None:
    check_server(connection)
    check_trigrams(connection)


def test_a_database_that_cannot_find_chinese_words_is_refused(postgres_server: EmbeddedServer, database: Engine, tmp_path: Path) -> None:
    with database.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("CREATE DATABASE blind TEMPLATE template0 LOCALE 'C'"))
    engine = make_engine(Settings(database_url=postgres_server.url("blind"), data_dir=tmp_path))
    try:
        with pytest.raises(DatabaseUnfit, match="LC_CTYPE"):
            migrate.upgrade(engine)
        assert migrate.current_revision(engine) is None
    finally:
        engine.dispose()


def test_an_empty_address_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnfit, match="DATABASE_URL"):
        make_engine(Settings(database_url="", data_dir=tmp_path))


def test_a_server_that_does_not_answer_is_said_without_the_password(tmp_path: Path) -> None:
    engine = make_engine(Settings(database_url="postgresql://someone:secret@127.0.0.1:1/none", data_dir=tmp_path))
    with pytest.raises(Unavailable, match="连不上数据库") as caught:
        migrate.upgrade(engine)
    assert "secret" not in caught.value.message


def test_json_keeps_decimals_as_text_and_chinese_readable() -> None:
    assert dump_json({"罚款": Decimal("12.30")}) == '{"罚款":"12.30"}'


def test_statements_are_counted(database: Engine) -> None:
    with database.begin() as connection:
        connection.execute(text("SELECT count(*) FROM case_file"))
        counted = connection.execute(text("SELECT sum(calls) FROM pg_stat_statements WHERE query LIKE '%case_file%'")).scalar_one()
    assert counted >= 1


def test_a_database_newer_than_the_code_is_said_in_one_sentence(database: Engine) -> None:
    with database.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseUnfit, match="比这份程序新"):
        migrate.upgrade(database)
