"""A scratch platform on an embedded PostgreSQL with ordinary durability: demo city, one web worker, one job worker."""
from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from engine.cli.simulators import running_simulators  # noqa: E402
from engine.kernel.settings import Settings  # noqa: E402
from engine.storage.embedded import EmbeddedServer  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(kw_only=True)
class Scratch:
    """A running platform: ``base`` is its address, ``database`` the address of its database."""

    base: str
    database: str
    environment: dict[str, str]
    web: subprocess.Popen[bytes]

    @contextmanager
    def worker(self) -> Iterator[None]:
        """A job worker as long as the block lasts; it is gone while submits are measured."""
        process = subprocess.Popen([sys.executable, "-m", "engine", "worker"], cwd=ROOT, env=self.environment)
        try:
            yield
        finally:
            _stop(process)

    def web_worker(self) -> int:
        """The process that runs Python for requests: the server's only child."""
        children = Path(f"/proc/{self.web.pid}/task/{self.web.pid}/children").read_text().split()
        return max((int(child) for child in children), key=resident_kb, default=self.web.pid)

    def connect(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.database, autocommit=True)


@contextmanager
def scratch(*, cases: bool = False, workers: int = 1) -> Iterator[Scratch]:
    """Start everything in a folder of its own; stop and delete it afterwards. ``cases``: the demo city with its cases; ``workers``: web processes."""
    folder = Path(tempfile.mkdtemp(prefix="guicheng-bench-", dir="/tmp"))
    folder.chmod(0o755)
    server = EmbeddedServer(folder)
    try:
        port, database = _free_port(), server.start()
        environment = {**os.environ, "DATABASE_URL": database, "GUICHENG_DATA": str(folder), "PORT": str(port), "MALLOC_ARENA_MAX": "2"}
        for command in (["migrate"], ["demo"] if cases else ["demo", "--no-cases"]):
            subprocess.run([sys.executable, "-m", "engine", *command], cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
        with running_simulators(Settings(database_url=database, data_dir=folder)):
            web = subprocess.Popen([sys.executable, "-m", "engine", "serve", "--workers", str(workers)], cwd=ROOT, env=environment)
            try:
                base = f"http://127.0.0.1:{port}"
                _wait_for(base + "/login", web)
                yield Scratch(base=base, database=database, environment=environment, web=web)
            finally:
                _stop(web)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def cpu_ms(pid: int) -> float:
    """Processor time the process has used so far, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / TICKS


def resident_kb(pid: int) -> int:
    """Memory of the process that is in RAM."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=60)


def _wait_for(address: str, web: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 240
    while True:
        try:
            urllib.request.urlopen(address, timeout=10).close()
            return
        except urllib.error.URLError:
            if time.monotonic() > until or web.poll() is not None:
                raise
            time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
