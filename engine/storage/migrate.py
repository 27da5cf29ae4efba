"""Bring a database to the newest revision."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from engine.kernel.errors import Unavailable
from engine.storage.database import DatabaseUnfit, check_server, check_trigrams

MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x67_63_6D_69  # "gcmi"


def upgrade(engine: Engine) -> None:
    """Run every missing revision in one transaction; processes that start together wait for one another.

    Raises DatabaseUnfit when the server can't carry the platform, Unavailable when it doesn't answer.
    """
    with _reachable(engine), engine.begin() as connection:
        check_server(connection)
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        config = _config()
        _require_known(config, MigrationContext.configure(connection).get_current_revision())
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        check_trigrams(connection)


def _require_known(config: Config, revision: str | None) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise DatabaseUnfit(f"数据库的结构（{revision}）比这份程序新。请换用新一些的程序，或用 --data 另指一个数据目录。")


def current_revision(engine: Engine) -> str | None:
    """The revision a database stands at; None when it is empty."""
    with _reachable(engine), engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest_revision() -> str | None:
    """The newest revision that this code knows."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


@contextmanager
def _reachable(engine: Engine) -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise Unavailable(f"连不上数据库 {engine.url.render_as_string()}：{reason}", code="database_away") from error
