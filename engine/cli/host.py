"""What a command may ask its process for: settings, a running database, the assembled application.

Whatever reaches the database is imported when it is asked for: a command that needs none starts in a third of the time.
"""
from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.kernel.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from engine.runtime.application import Application


@dataclass(frozen=True, kw_only=True)
class Host:
    """``create`` is engine.assembly.create_application, handed in from above."""

    create: Callable[[Settings], Application]

    def settings(self) -> Settings:
        """From the environment; without DATABASE_URL the database is the embedded one of the data folder."""
        data_dir = Path(os.environ.get("GUICHENG_DATA") or default_data_dir())
        prepare_data_dir(data_dir)
        url = os.environ.get("DATABASE_URL", "").replace("postgres://", "postgresql://", 1)
        return Settings.from_environment({**os.environ, "GUICHENG_DATA": str(data_dir), "DATABASE_URL": url})

    @contextmanager
    def running(self, *, owner: bool = False) -> Iterator[Settings]:
        """Settings whose database answers; an embedded server that had to be started is stopped again.

        The ``owner`` stops it in any case: it may have been left running by an owner that was killed.
        """
        settings = self.settings()
        if settings.database_url:
            yield settings
            return
        from engine.storage.embedded import EmbeddedServer

        server = EmbeddedServer(settings.data_dir)
        was_running = server.running()
        url = server.start()
        try:
            yield replace(settings, database_url=url)
        finally:
            if owner or not was_running:
                server.stop()

    @contextmanager
    def database(self, *, migrated: bool = True) -> Iterator[Engine]:
        """An engine on the running database, at the newest revision when ``migrated``."""
        from engine.storage import migrate
        from engine.storage.database import make_engine

        with self.running() as settings:
            engine = make_engine(settings, application_name="guicheng-cli")
            try:
                if migrated:
                    migrate.upgrade(engine)
                yield engine
            finally:
                engine.dispose()

    @contextmanager
    def application(self) -> Iterator[Application]:
        """The assembled application on the running, migrated database."""
        from engine.storage import migrate
        from engine.storage.database import make_engine

        with self.running() as settings:
            engine = make_engine(settings, application_name="guicheng-migrate")
            migrate.upgrade(engine)
            engine.dispose()
            app = self.create(settings)
            try:
                yield app
            finally:
                app.db.dispose()


def default_data_dir() -> Path:
    """/var/lib/guicheng for root, ~/.local/share/guicheng for a user; never inside the checkout."""
    if os.geteuid() == 0:
        return Path("/var/lib/guicheng")
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "guicheng"


def prepare_data_dir(data_dir: Path) -> None:
    """Make the folder, what only its owner may read in it, and the key that signs cookies, once.

    The folder itself can be entered by all, because the embedded server's user passes through it.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    for private in ("blobs", "logs", "connectors"):
        (data_dir / private).mkdir(mode=0o700, exist_ok=True)
    key_file = data_dir / "secret_key"
    if not key_file.exists():
        partial = data_dir / f".secret_key.{os.getpid()}"
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(32))
        try:
            os.link(partial, key_file)
        except FileExistsError:
            pass
        finally:
            partial.unlink()
