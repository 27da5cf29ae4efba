"""A backup taken while officers act; its restore has the same chain heads, the same files, and can be worked on."""
from __future__ import annotations

import tarfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from engine.access.anchors import check_trail, kept_outside
from engine.access.guarding import anchor_folder, anchor_now
from engine.access.passwords import MIN_LENGTH
from engine.assembly import create_application
from engine.kernel.errors import Conflict, Invalid
from engine.kernel.settings import Settings
from engine.runtime.invariants import find_violations
from engine.storage.backup.make import make_backup
from engine.storage.backup.restore import BackupFile, check_empty, restore_backup
from engine.storage.backup.secrets import SHORTEST
from engine.storage.database import make_engine
from engine.storage.embedded import EmbeddedServer
from tests.engine.runtime.walk import HANDLING, do, start_clue
from tests.town import Town

PASSPHRASE = "一个足够长的备份口令 2026"


@pytest.fixture
def empty(postgres_server: EmbeddedServer, tmp_path: Path) -> Iterator[Settings]:
    """Settings of an empty database and an empty folder."""
    admin = create_engine(make_url(postgres_server.url("postgres")).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("CREATE DATABASE restored TEMPLATE template0"))
    yield Settings(database_url=postgres_server.url("restored"), data_dir=tmp_path / "restored", secret_key=b"x" * 32, environment="test")
    with admin.connect() as connection:
        connection.execute(text("DROP DATABASE restored WITH (FORCE)"))
    admin.dispose()


def backed_up(town: Town, target: Path) -> Any:
    url = town.app.db.url.set(drivername="postgresql").render_as_string(hide_password=False)
    return make_backup(town.app.db, url=url, data_dir=town.app.settings.data_dir, target=target, passphrase=PASSPHRASE, at=town.app.clock.now())


@pytest.mark.requirement("NFM-050")
@pytest.mark.requirement("NFR-061")
def test_a_backup_of_a_working_platform_comes_back_with_the_same_chain_heads(town: Town, empty: Settings, tmp_path: Path) -> None:
    started = start_clue(town)
    sm3 = town.app.blobs.put("证据".encode())
    anchor_now(town.app, at=town.app.clock.now())
    stop, counted = threading.Event(), [0]

    def officers() -> None:
        while not stop.is_set():
            start_clue(town)
            counted[0] += 1

    worker = threading.Thread(target=officers)
    worker.start()
    try:
        while counted[0] < 2:
            stop.wait(0.05)
        before = counted[0]
        made = backed_up(town, tmp_path / "one.backup")
        after = counted[0]
    finally:
        stop.set()
        worker.join()
    assert after > before, "officers acted while the backup was made"
    _comes_back(town, empty, tmp_path, made, started.case_id, sm3)


def _comes_back(town: Town, empty: Settings, tmp_path: Path, made: Any, case_id: Any, sm3: str) -> None:
    engine = make_engine(empty)
    check_empty(engine, empty.data_dir)
    empty.data_dir.mkdir()
    backup = BackupFile(tmp_path / "one.backup", PASSPHRASE)
    done = restore_backup(engine, url=empty.database_url, data_dir=empty.data_dir, backup=backup)
    with pytest.raises(Conflict):
        check_empty(engine, empty.data_dir)
    with engine.connect() as connection:
        heads = [list(row) for row in connection.execute(text("SELECT chain, seq, encode(hash, 'hex') FROM audit_head ORDER BY chain"))]
    assert heads == made.heads == done.heads and heads
    app = create_application(empty, clock=town.app.clock, db=engine)
    with engine.connect() as connection:
        report = check_trail(connection, app.keys, folder=anchor_folder(app))
    assert report.good and report.anchors == 1 and len(kept_outside(anchor_folder(app))) == 1
    assert find_violations(app) == [] and app.blobs.get(sm3) == "证据".encode()
    done_there = do(replace(town, app=app), "officer", "verify", "file", data=HANDLING) if _only(app, case_id) else None
    assert done_there is None or done_there.case_id == case_id
    app.db.dispose()


def _only(app: Any, case_id: Any) -> bool:
    """Leave one open case in the copy, so that the walk's helper knows which task is meant."""
    with app.db.begin() as connection:
        connection.execute(text("UPDATE task SET status = 'cancelled' WHERE status = 'open' AND case_id <> :case"), {"case": case_id})
    return True


def test_a_wrong_passphrase_and_an_altered_backup_are_refused_before_anything_is_written(town: Town, empty: Settings, tmp_path: Path) -> None:
    assert SHORTEST >= MIN_LENGTH
    with pytest.raises(Invalid, match="太短"):
        make_backup(town.app.db, url="", data_dir=tmp_path, target=tmp_path / "x", passphrase="short", at=town.app.clock.now())
    made = backed_up(town, tmp_path / "two.backup")
    assert made.file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(Invalid, match="口令不对"):
        BackupFile(made.file, PASSPHRASE + "!")
    whole = made.file.read_bytes()
    with tarfile.open(made.file) as tar:
        place = tar.getmember("database.dump").offset_data
        names = tar.getnames()
    assert "keys/index.key" not in " ".join(names) and "keys.sealed" in names
    (tmp_path / "bad.backup").write_bytes(whole[: place + 200] + b"\xff" + whole[place + 201 :])
    engine = make_engine(empty)
    empty.data_dir.mkdir()
    with pytest.raises(Invalid, match=r"database\.dump 被改动"):
        restore_backup(engine, url=empty.database_url, data_dir=empty.data_dir, backup=BackupFile(tmp_path / "bad.backup", PASSPHRASE))
    check_empty_database = make_engine(empty)
    with check_empty_database.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")) == 0
    for cut in (whole[:500], b"junk", whole[: len(whole) // 2]):
        (tmp_path / "cut.backup").write_bytes(cut)
        with pytest.raises(Invalid):
            BackupFile(tmp_path / "cut.backup", PASSPHRASE)
    engine.dispose()
    check_empty_database.dispose()
