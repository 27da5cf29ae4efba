"""The embedded server: made once, shared, stopped, and honest about what it can't do."""
from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from engine.kernel.errors import Unavailable
from engine.storage import postgres_programs
from engine.storage.embedded import THROWAWAY, EmbeddedServer
from engine.storage.postgres_programs import find_programs


@pytest.fixture
def data_dir() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="guicheng-data-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    EmbeddedServer(folder).stop()
    shutil.rmtree(folder)


def test_data_survive_a_stop_and_the_address_stays(data_dir: Path) -> None:
    server = EmbeddedServer(data_dir, settings=THROWAWAY)
    first = server.start()
    with psycopg.connect(first) as connection:
        connection.execute("CREATE TABLE kept AS SELECT '行政处罚' AS word")
    server.stop()
    assert not server.running()
    second = EmbeddedServer(data_dir, settings=THROWAWAY).start()
    assert second == first
    with psycopg.connect(second) as connection:
        assert connection.execute("SELECT word FROM kept").fetchone() == ("行政处罚",)


def test_starting_twice_finds_the_running_server(data_dir: Path) -> None:
    server = EmbeddedServer(data_dir, settings=THROWAWAY)
    url = server.start()
    with psycopg.connect(url) as connection:
        before = connection.execute("SELECT pg_postmaster_start_time()").fetchone()
    assert EmbeddedServer(data_dir).start() == url
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT pg_postmaster_start_time()").fetchone() == before


def test_the_server_wants_a_password_and_counts_statements(data_dir: Path) -> None:
    server = EmbeddedServer(data_dir, settings=THROWAWAY)
    url = server.start()
    password = (server.folder / "password").read_text()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url.replace(password, "guess"))
    with psycopg.connect(url) as connection:
        assert connection.execute("SHOW shared_preload_libraries").fetchone() == ("pg_stat_statements",)
        assert connection.execute("SELECT datctype FROM pg_database WHERE datname = current_database()").fetchone() == ("C.UTF-8",)
    assert (server.folder / "password").stat().st_mode & 0o077 == 0


def test_an_interrupted_initdb_is_done_again(data_dir: Path) -> None:
    server = EmbeddedServer(data_dir, settings=THROWAWAY)
    half = server.folder / "cluster.123"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18")
    server.start()
    assert not half.exists()


def test_a_cluster_of_another_version_is_refused_in_words(data_dir: Path) -> None:
    server = EmbeddedServer(data_dir, settings=THROWAWAY)
    server.start()
    server.stop()
    (server.cluster / "PG_VERSION").write_text("14\n")
    with pytest.raises(Unavailable, match="PostgreSQL 14"):
        server.start()


def test_no_programs_at_all_is_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_programs, "_folders", lambda: iter([Path("/nonexistent")]))
    with pytest.raises(Unavailable, match="找不到可用的 PostgreSQL"):
        find_programs()


def test_a_data_folder_that_the_server_cannot_enter_is_refused(data_dir: Path) -> None:
    programs = find_programs()
    if programs.user is None:
        assert postgres_programs.first_shut(None, [data_dir]) is None
        return
    data_dir.chmod(0o700)
    with pytest.raises(Unavailable, match="--data"):
        EmbeddedServer(data_dir / "below", programs=programs).start()


def test_programs_below_a_shut_folder_are_copied_where_the_server_can_read_them(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = find_programs()
    if programs.user is None:
        return
    shut = data_dir / "home"
    install = programs.bin.parent
    for folder in (install, install.parent.with_name(f"{install.parent.name}.libs")):
        if folder.exists():
            place = shut / folder.relative_to(install.parents[1])
            shutil.copytree(folder, place, symlinks=True, copy_function=postgres_programs._link_or_copy)
    shut.chmod(0o700)
    monkeypatch.setattr(postgres_programs, "_folders", lambda: iter([shut / install.relative_to(install.parents[1]) / "bin"]))
    monkeypatch.setattr(postgres_programs, "CACHE", data_dir / "cache")
    found = find_programs()
    assert found.bin.is_relative_to(data_dir / "cache")
    assert found.major == programs.major
