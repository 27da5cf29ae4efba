"""The embedded PostgreSQL: one folder, one server, started and stopped with the platform.

``<data>/postgres/`` holds ``cluster/`` (the database), ``password``, ``port`` and ``server.log``; only the unprivileged
user and root can enter it. The server listens on loopback and on a socket, both with a password.
"""
from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from engine.kernel.errors import Unavailable
from engine.storage.postgres_programs import Programs, find_programs, first_shut

ROLE = "guicheng"
DATABASE = "guicheng"
_SOCKET_LIMIT = 90
_SETTINGS = {
    "max_connections": "80", "shared_buffers": "128MB", "timezone": "UTC", "jit": "off", "log_min_duration_statement": "1000",
    "pg_stat_statements.max": "2000", "random_page_cost": "1.1",
}
THROWAWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "wal_level": "minimal", "max_wal_senders": "0"}


class EmbeddedServer:
    """The server of one data folder. ``start`` and ``stop`` may be called by several processes and repeatedly."""

    def __init__(self, data_dir: Path, *, settings: Mapping[str, str] | None = None, programs: Programs | None = None) -> None:
        self.folder = data_dir / "postgres"
        self.cluster = self.folder / "cluster"
        self.settings = {**_SETTINGS, **(settings or {})}
        self._programs = programs

    @property
    def programs(self) -> Programs:
        if self._programs is None:
            self._programs = find_programs()
        return self._programs

    def start(self, *, timeout: float = 30) -> str:
        """Make the cluster if there is none, start the server if it isn't running, and return its postgresql:// address."""
        self._open_folder()
        with self._lock():
            if not (self.cluster / "PG_VERSION").exists():
                self._initialise()
            self._refuse_other_version()
            if not self.running():
                self._start(timeout)
        return self.url()

    def stop(self) -> None:
        """Stop the server; nothing happens when it isn't running. Open transactions are rolled back."""
        if self.cluster.exists() and self.running():
            self._control("stop", "-m", "fast", "-w")

    def running(self) -> bool:
        """Does the server of this folder run?"""
        return self.cluster.exists() and self.programs.run("pg_ctl", "-D", str(self.cluster), "status").returncode == 0

    def url(self, database: str = DATABASE) -> str:
        """The address of ``database`` on this server, password included."""
        password = (self.folder / "password").read_text().strip()
        port = (self.folder / "port").read_text().strip()
        if self._has_socket:
            return f"postgresql://{ROLE}:{password}@/{database}?host={quote(str(self.folder), safe='')}&port={port}"
        return f"postgresql://{ROLE}:{password}@127.0.0.1:{port}/{database}"

    @property
    def _has_socket(self) -> bool:
        return len(os.fsencode(self.folder)) <= _SOCKET_LIMIT

    def _open_folder(self) -> None:
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        shut = first_shut(self.programs.user, list(reversed(self.folder.resolve().parents)))
        if shut is not None:
            raise Unavailable(
                f"数据目录 {self.folder.parent} 在 {shut} 之下，数据库的系统用户进不去。请用 --data 指定别处，例如 /var/lib/guicheng。",
                code="data_dir_shut",
            )
        self.programs.own(self.folder)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        with (self.folder / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _initialise(self) -> None:
        password_file = self.folder / "password"
        if not password_file.exists():
            self._write("password", secrets.token_urlsafe(24))
        for left_over in self.folder.glob("cluster.*"):
            shutil.rmtree(left_over)
        partial = self.folder / f"cluster.{os.getpid()}"
        result = self.programs.run(
            "initdb", "-D", str(partial), "-U", ROLE, "--locale=C.UTF-8", "--encoding=UTF8", "--auth=scram-sha-256",
            f"--pwfile={password_file}", *(["--no-sync"] if self.settings.get("fsync") == "off" else []),
        )
        if result.returncode:
            raise Unavailable(f"无法建立数据库：{_last_line(result.stderr)}", code="initdb_failed")
        partial.rename(self.cluster)

    def _refuse_other_version(self) -> None:
        made_by = int((self.cluster / "PG_VERSION").read_text().split(".")[0])
        if made_by != self.programs.major:
            raise Unavailable(
                f"{self.cluster} 由 PostgreSQL {made_by} 建立，而现在的程序是 {self.programs.major}。"
                "请用原版本的 pg_dump 导出、换一个 --data 目录后再导入。",
                code="other_version",
            )

    def _start(self, timeout: float) -> None:
        until = time.monotonic() + timeout
        while True:
            self._write("port", str(_free_port(self._known_port())))
            result = self._control("start", "-w", "-t", str(int(timeout)), "-l", str(self.folder / "server.log"), "-o", self._options())
            if result.returncode == 0:
                break
            if time.monotonic() > until:
                raise Unavailable(f"数据库没有启动，请看 {self.folder / 'server.log'}：{_last_line(self._log())}", code="start_failed")
            time.sleep(0.3)
        self._create_database()

    def _options(self) -> str:
        settings = dict(self.settings)
        if self.programs.counts_statements:
            settings["shared_preload_libraries"] = "pg_stat_statements"
        else:
            settings.pop("pg_stat_statements.max", None)
        settings["port"] = (self.folder / "port").read_text().strip()
        settings.setdefault("listen_addresses", "127.0.0.1")
        settings["unix_socket_directories"] = str(self.folder) if self._has_socket else ""
        return " ".join(f"-c {name}={_quoted(value)}" for name, value in settings.items())

    def _control(self, action: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.programs.run("pg_ctl", "-D", str(self.cluster), action, *arguments)

    def _create_database(self) -> None:
        import psycopg
        from psycopg import sql

        with psycopg.connect(self.url("postgres"), autocommit=True, connect_timeout=10) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))

    def _known_port(self) -> int:
        file = self.folder / "port"
        return int(file.read_text()) if file.exists() else 0

    def _write(self, name: str, content: str) -> None:
        file = self.folder / name
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as out:
            out.write(content)
        if self.programs.user is not None:
            os.chown(file, self.programs.user.pw_uid, self.programs.user.pw_gid)

    def _log(self) -> str:
        file = self.folder / "server.log"
        return file.read_text(errors="replace")[-2000:] if file.exists() else ""


def _free_port(wanted: int) -> int:
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise Unavailable("本机没有空闲的端口可给数据库。", code="no_port")


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "'\\''") + "'" if value else "''"


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "没有输出"
