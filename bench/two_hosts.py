"""Two workers on two hosts share the work of one PostgreSQL; one host loses its power in the middle, and nothing is lost or done twice.

As root: each worker lives in a network namespace with an address of its own, and the loss is its cable being cut and the process killed, so
that no farewell reaches the database. Otherwise two processes, one killed. `.venv/bin/python bench/two_hosts.py [--cases 2000]`; it exits
with an error when anything is missing, doubled or inconsistent.
"""
from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent))

from sqlalchemy import func, select, text
from waiting import ROOT, platform

from engine.runtime.hand_out_timers import hand_out_timers, take_back_claims
from engine.runtime.invariants import find_violations
from engine.storage.tables.runtime import act
from tests.town import Town
from tests.waiting_rows import copy_waiting, waiting_case

BRIDGE, NETWORK, HOSTS = "gcbench", "10.77.93", ("gchost1", "gchost2")
LATEST = 300


@contextmanager
def hosts() -> Iterator[None]:
    """A bridge with the database's address, and two namespaces plugged into it."""
    try:
        _ip("link", "add", BRIDGE, "type", "bridge")
        _ip("addr", "add", f"{NETWORK}.1/24", "dev", BRIDGE)
        _ip("link", "set", BRIDGE, "up")
        for number, host in enumerate(HOSTS, 11):
            _ip("netns", "add", host)
            _ip("link", "add", f"v{host}", "type", "veth", "peer", "name", "eth0", "netns", host)
            _ip("link", "set", f"v{host}", "master", BRIDGE, "up")
            _ip("-n", host, "addr", "add", f"{NETWORK}.{number}/24", "dev", "eth0")
            _ip("-n", host, "link", "set", "eth0", "up")
        yield
    finally:
        for host in HOSTS:
            _ip("netns", "del", host, check=False)
        _ip("link", "del", BRIDGE, check=False)


def _ip(*words: str, check: bool = True) -> None:
    subprocess.run(["ip", *words], check=check, stderr=None if check else subprocess.DEVNULL)


def address(town: Town, apart: bool) -> str:
    """The database's address as the hosts see it; the server lets them in."""
    url = town.app.settings.database_url
    if not apart:
        return url
    with town.app.db.connect() as connection:
        hba, port = Path(connection.scalar(text("SHOW hba_file"))), connection.scalar(text("SHOW port"))
        with hba.open("a") as file:
            file.write(f"host all all {NETWORK}.0/24 scram-sha-256\n")
        connection.execute(text("SELECT pg_reload_conf()"))
    return f"postgresql://{urlsplit(url).username}:{urlsplit(url).password}@{NETWORK}.1:{port}/{urlsplit(url).path[1:]}"


def start(town: Town, url: str, host: str | None) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "DATABASE_URL": url, "GUICHENG_DATA": str(town.app.settings.data_dir), "MALLOC_ARENA_MAX": "2"}
    inside = ["ip", "netns", "exec", host] if host else []
    return subprocess.Popen([*inside, sys.executable, "-m", "engine", "worker"], cwd=ROOT, env=environment)


def share(town: Town, cases: int, apart: bool) -> None:
    """Let both workers fire ``cases`` timers; the first loses its host after a third of them."""
    template, app = waiting_case(town), town.app
    with app.db.begin() as connection:
        copy_waiting(connection, template, count=cases, due_at=app.clock.now() - timedelta(hours=1), apart=timedelta(milliseconds=1))
    url = address(town, apart)
    first, second = (start(town, url, host if apart else None) for host in HOSTS)
    began, lost = time.monotonic(), 0.0
    try:
        while (done := fired(town)) < cases:
            assert time.monotonic() - began < LATEST, f"{done} of {cases} after {LATEST} s"
            hand_out_timers(app, app.clock.now())
            take_back_claims(app, app.clock.now())
            if lost:
                app.jobs.rescue()
            elif done > cases / 3:
                both = jobs_of(town)
                if apart:
                    _ip("link", "set", f"v{HOSTS[0]}", "down")
                first.send_signal(signal.SIGKILL)
                lost = time.monotonic()
                print(f"after {done} of {cases}: one host is gone; until then the workers did {sorted(both.values())} jobs")
            time.sleep(0.25)
    finally:
        for one in (first, second):
            one.kill()
            one.wait()
    print(f"all {cases} fired, {time.monotonic() - lost:.0f} s after the loss, {time.monotonic() - began:.0f} s after the start")
    with app.db.connect() as connection:
        doubled = connection.scalar(text("SELECT count(*) FROM (SELECT FROM act WHERE kind = 'timer' GROUP BY instance_id HAVING count(*) > 1) twice"))
        left = connection.scalar(text("SELECT count(*) FROM timer WHERE claimed_at IS NOT NULL"))
    violations = find_violations(app)
    print(f"fired twice: {doubled}; claims left: {left}; violations: {violations[:3] or 'none'}")
    assert len(both) >= 2 and min(both.values()) > 0, f"the work was not shared: {both}"
    assert not doubled and not left and not violations


def fired(town: Town) -> int:
    with town.app.db.connect() as connection:
        return int(connection.scalar(select(func.count()).select_from(act).where(act.c.kind == "timer")) or 0)


def jobs_of(town: Town) -> dict[str, int]:
    """Timer jobs finished so far by the address and number of the worker's connection."""
    query = text("""
        SELECT worker_id::text, count(*) FROM procrastinate_jobs WHERE task_name = 'runtime.fire_timers' AND worker_id IS NOT NULL GROUP BY 1""")
    with town.app.db.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(query)}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--cases", type=int, default=2000)
    options.add_argument("--together", action="store_true", help="without network namespaces")
    asked = options.parse_args()
    apart = not asked.together and os.geteuid() == 0 and shutil.which("ip") is not None
    print("two network namespaces" if apart else "two processes on one host")
    with ExitStack() as stack:
        if apart:
            stack.enter_context(hosts())
        town = stack.enter_context(platform({"listen_addresses": f"127.0.0.1,{NETWORK}.1"} if apart else {}))
        share(town, asked.cases, apart)


if __name__ == "__main__":
    main()
