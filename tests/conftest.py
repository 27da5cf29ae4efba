"""What every test may ask for. Samples of a feature stay with the feature's tests."""
from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.engine import make_url

from engine.kernel.clock import SHANGHAI, FixedClock
from engine.kernel.settings import Settings
from engine.storage import migrate
from engine.storage.database import make_engine
from engine.storage.embedded import THROWAWAY, EmbeddedServer


def pytest_configure(config: pytest.Config) -> None:
    from engine.access.passwords import make_cheap
    from tests.record import Recorder

    config.pluginmanager.register(Recorder(), "requirement-recorder")
    make_cheap()


NOW = datetime(2026, 11, 20, 9, 0, tzinfo=SHANGHAI)
PREFIX = "guicheng-test-"
TEMPLATE = "guicheng_template"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[EmbeddedServer]:
    """A server of this test process alone, in a folder of its own, without fsync."""
    _sweep_orphans()
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=_room()))
    folder.chmod(0o755)
    server = EmbeddedServer(folder, settings=THROWAWAY)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_url(postgres_server: EmbeddedServer) -> str:
    """The address of a migrated database that nobody writes to; ``database`` clones it."""
    _create(postgres_server, TEMPLATE, template="template0")
    url = postgres_server.url(TEMPLATE)
    engine = make_engine(_settings(url, postgres_server.folder))
    migrate.upgrade(engine)
    engine.dispose()
    return url


@pytest.fixture(scope="session")
def _content_template(postgres_server: EmbeddedServer, postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, dict[Any, Any]]:
    """A database with all content and nobody in it, its data folder (the keys that sealed its rows), and what was compiled once."""
    from engine.assembly import create_application

    _create(postgres_server, "content_template", template=make_url(postgres_url).database or TEMPLATE)
    folder = tmp_path_factory.mktemp("content")
    app = create_application(_settings(postgres_server.url("content_template"), folder), clock=FixedClock(NOW))
    app.db.dispose()
    return "content_template", folder, app.cache


@pytest.fixture
def database(request: pytest.FixtureRequest, postgres_server: EmbeddedServer, postgres_url: str) -> Iterator[Engine]:
    """An engine on a fresh clone of the migrated database, for an ``app`` with all content in it; dropped afterwards."""
    name = f"test_{next(_numbers)}"
    filled = "app" in request.fixturenames
    template = request.getfixturevalue("_content_template")[0] if filled else make_url(postgres_url).database or TEMPLATE
    _create(postgres_server, name, template=template)
    engine = make_engine(_settings(postgres_server.url(name), postgres_server.folder))
    yield engine
    engine.dispose()
    _administer(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def _shared_engine(postgres_server: EmbeddedServer, postgres_url: str) -> Iterator[Engine]:
    _create(postgres_server, "shared", template=make_url(postgres_url).database or TEMPLATE)
    engine = make_engine(_settings(postgres_server.url("shared"), postgres_server.folder))
    yield engine
    engine.dispose()


@pytest.fixture
def connection(_shared_engine: Engine) -> Iterator[Connection]:
    """A connection in a transaction that is rolled back at the end."""
    with _shared_engine.connect() as open_connection:
        transaction = open_connection.begin()
        yield open_connection
        if transaction.is_active:
            transaction.rollback()


@pytest.fixture
def clock() -> FixedClock:
    """Friday 20 November 2026, nine in the morning in Shanghai; it moves when a test moves it."""
    return FixedClock(NOW)


@pytest.fixture
def settings(database: Engine, tmp_path: Path) -> Settings:
    """Settings of an application on the fresh database, with a data folder of its own."""
    return _settings(database.url.set(drivername="postgresql").render_as_string(hide_password=False), tmp_path)


@pytest.fixture
def app(settings: Settings, clock: FixedClock, database: Engine, _content_template: tuple[str, Path, dict[Any, Any]]) -> Any:
    """The assembled application with all packs of the tree."""
    from engine.assembly import create_application

    _, folder, compiled = _content_template
    shutil.copytree(folder, settings.data_dir, dirs_exist_ok=True)
    made = create_application(settings, clock=clock, db=database, sync=False)
    made.cache = compiled
    return made


def _settings(url: str, data_dir: Path) -> Settings:
    return Settings(database_url=url, data_dir=data_dir, secret_key=b"test" * 8, environment="test")


def _create(server: EmbeddedServer, name: str, *, template: str) -> None:
    _administer(server, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")


def _administer(server: EmbeddedServer, statement: str) -> None:
    engine = create_engine(make_url(server.url("postgres")).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as open_connection:
        open_connection.execute(text(statement))
    engine.dispose()


def _room() -> Path:
    """Where the server's files lie: in memory where there is plenty of it, since every test copies a database, else on disk."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK | os.X_OK) and shutil.disk_usage(memory).free > 6 << 30
    return memory if roomy else Path("/tmp")


def _sweep_orphans() -> None:
    """Servers of test runs that were killed."""
    for folder in (found for room in ("/tmp", "/dev/shm") for found in Path(room).glob(f"{PREFIX}*")):
        owner = folder.name.removeprefix(PREFIX).split("-")[0]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists() and os.access(folder / "postgres", os.X_OK):
            EmbeddedServer(folder).stop()
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def _town_template(postgres_server: EmbeddedServer, postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, dict[Any, Any]]:
    """A database with all content and the small town, its data folder, and what was compiled once for all walks."""
    from engine.assembly import create_application
    from tests.town import build_town

    _create(postgres_server, "town_template", template=make_url(postgres_url).database or TEMPLATE)
    folder = tmp_path_factory.mktemp("town")
    app = create_application(_settings(postgres_server.url("town_template"), folder), clock=FixedClock(NOW))
    build_town(app)
    app.db.dispose()
    return "town_template", folder, app.cache


@pytest.fixture
def town(postgres_server: EmbeddedServer, _town_template: tuple[str, Path, dict[Any, Any]], clock: FixedClock, tmp_path: Path) -> Iterator[Any]:
    """An application on a fresh copy of a small town of invented people (see tests/town.py)."""
    from engine.assembly import create_application
    from tests.town import read_town

    template, folder, compiled = _town_template
    name = f"town_{next(_numbers)}"
    _create(postgres_server, name, template=template)
    shutil.copytree(folder, tmp_path / "data")
    app = create_application(_settings(postgres_server.url(name), tmp_path / "data"), clock=clock, sync=False)
    app.cache = compiled
    yield read_town(app)
    app.db.dispose()
    _administer(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")
