"""viewflow beside us: its own environment made from the package registry, its own database on the same PostgreSQL, the same server program."""
from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from scratch import ROOT, Scratch, _free_port, _stop, _wait_for

PACKAGES = ("django-viewflow==2.4.0", "psycopg[binary]", "granian")
HOME = Path.home() / ".cache" / "guicheng-bench" / "viewflow"


@dataclass(frozen=True, kw_only=True)
class Peer:
    """Where viewflow answers, the process that runs its Python, and its database."""

    base: str
    web: subprocess.Popen[bytes]
    database: str


def environment() -> Path | None:
    """The Python of viewflow's environment, made on the first run; None where the packages can't be had."""
    python = HOME / "bin" / "python"
    uv = ROOT / ".venv" / "bin" / "uv"
    ready = python.exists() and subprocess.run([python, "-c", "import django, granian, psycopg"], capture_output=True, check=False).returncode == 0
    if ready:
        return python
    HOME.parent.mkdir(parents=True, exist_ok=True)
    made = subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, HOME], check=False, capture_output=True)
    filled = made.returncode == 0 and subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *PACKAGES], check=False, capture_output=True).returncode == 0
    return python if filled else None


@contextmanager
def peer(platform: Scratch, python: Path) -> Iterator[Peer]:
    """viewflow with one worker process, as ours has."""
    with platform.connect() as connection:
        connection.execute("CREATE DATABASE viewflow")
    place = {**conninfo_to_dict(platform.database), "dbname": "viewflow"}
    port = _free_port()
    env = {**os.environ, "BENCH_DATABASE": json.dumps(place), "PYTHONPATH": str(ROOT / "bench")}
    subprocess.run([python, "-m", "viewflow_site.prepare"], cwd=ROOT / "bench", env=env, check=True)
    command = [HOME / "bin" / "granian", "--interface", "wsgi", "--port", str(port), "--workers", "1", "--blocking-threads", "4", "--log-level", "warning",
               "viewflow_site.urls:application"]
    web = subprocess.Popen([str(part) for part in command], cwd=ROOT / "bench", env=env)
    try:
        _wait_for(f"http://127.0.0.1:{port}/accounts/login/", web)
        yield Peer(base=f"http://127.0.0.1:{port}", web=web, database=make_conninfo("", **place))
    finally:
        _stop(web)


def open_tasks(peer: Peer) -> list[tuple[str, str]]:
    """(process, address of the step) of every open task."""
    with psycopg.connect(peer.database, autocommit=True) as connection:
        rows = connection.execute("SELECT process_id, id, flow_task FROM viewflow_task WHERE status IN ('NEW', 'ASSIGNED') ORDER BY id").fetchall()
    return [(str(process), f"/request/{process}/{str(step).rsplit('.', 1)[1]}/{task}/execute/") for process, task, step in rows]
