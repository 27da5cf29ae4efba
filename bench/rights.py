"""What permission costs a request: who sends it, with every role's grants, at 20,000 people, 600 units and 200 roles.

    .venv/bin/python bench/rights.py

One statement finds session, person, post, rights and grants.
"""
from __future__ import annotations

import os
import random
import signal
import statistics
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event, insert, text

from engine.access import sessions
from engine.access.staffing import create_unit
from engine.kernel.ids import new_id
from engine.kernel.settings import Settings
from engine.storage import migrate
from engine.storage.database import make_engine
from engine.storage.embedded import THROWAWAY, EmbeddedServer
from engine.storage.tables.organisation import account, person, post, role_holder
from engine.storage.tables.organising import access_grant, own_role

AT, SINCE = datetime(2026, 11, 20, 1, 0, tzinfo=UTC), date(2020, 1, 1)
PEOPLE, ROLES, GRANTS_PER_ROLE, TRIED = 20_000, 200, 10, 2_000
POSTS = ("officer", "unit_head", "section_staff", "section_head", "legal_staff")


def fill(connection: Connection) -> list[Any]:
    """600 units, 20,000 people with one or two posts, 200 roles with ten grants each; the accounts."""
    units = _units(connection)
    people = [new_id() for _ in range(PEOPLE)]
    accounts = [new_id() for _ in range(PEOPLE)]
    connection.execute(insert(person), [{"id": id, "name": f"人{n}", "pinyin": f"ren {n}", "updated_at": AT} for n, id in enumerate(people)])
    connection.execute(insert(account), [
        {"id": id, "person_id": people[n], "login": f"p{n}", "password_hash": "-", "rights": [], "updated_at": AT} for n, id in enumerate(accounts)
    ])
    seats = [{"id": new_id(), "person_id": id, "unit_id": units[n % 600], "code": POSTS[n % 5], "title": "岗位", "main": True, "valid_from": SINCE} for n, id in enumerate(people)]
    seats += [{**seats[n], "id": new_id(), "unit_id": units[(n * 7) % 600], "code": POSTS[(n + 1) % 5], "main": False} for n in range(0, PEOPLE, 4)]
    connection.execute(insert(post), seats)
    _roles(connection)
    connection.execute(text("ANALYZE"))
    return accounts


def _units(connection: Connection) -> list[Any]:
    city = create_unit(connection, parent_id=None, bureau="market_regulation", kind="city_bureau", code="C", name="市局", short_name="市局", at=AT)
    units = [city]
    for d in range(16):
        district = create_unit(connection, parent_id=city, bureau="market_regulation", kind="district_bureau", code=f"D{d}", name=f"区局{d}", short_name=f"区{d}", at=AT)
        units.append(district)
        units += [
            create_unit(connection, parent_id=district, bureau="market_regulation", kind=("station", "section", "squad")[s % 3], code=f"D{d}-{s}", name=f"单位{d}-{s}", short_name=f"{d}-{s}", at=AT)
            for s in range(36)
        ]
    extra = 600 - len(units)
    return units + [
        create_unit(connection, parent_id=city, bureau="market_regulation", kind="section", code=f"S{s}", name=f"处室{s}", short_name=f"处{s}", at=AT) for s in range(extra)
    ]


def _roles(connection: Connection) -> None:
    names = [f"own.role_{n}" for n in range(ROLES)]
    connection.execute(insert(own_role), [{"id": new_id(), "name": name, "title": name, "updated_at": AT} for name in names])
    connection.execute(insert(role_holder), [
        {"id": new_id(), "role": name, "post": POSTS[n % 5], "unit_kind": ("station", "section", "squad", "district_bureau")[n % 4], "scope": "own", "valid_from": SINCE, "source": "测"}
        for n, name in enumerate(names)
    ])
    connection.execute(insert(access_grant), [
        {"id": new_id(), "role": name, "kind": "register", "object": f"pack.register_{(n * 3 + g) % 60}", "level": ("read", "edit", "export")[g % 3], "scope": "own", "valid_from": SINCE, "source": "测", "updated_at": AT}
        for n, name in enumerate(names) for g in range(GRANTS_PER_ROLE)
    ])


def cpu_of(pid: int) -> float:
    """Seconds of CPU that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(engine: Any, tokens: Sequence[str]) -> tuple[list[float], int, float, float]:
    """(milliseconds of each resolve, the most statements one made, the mean number of grants, milliseconds of CPU each on both sides)."""
    counted, most, grants, took = [0], 0, [], []
    event.listen(engine, "before_cursor_execute", lambda *_: counted.__setitem__(0, counted[0] + 1))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for warm in range(200):
            sessions.resolve_session(connection, token=tokens[warm % len(tokens)], at=AT)
        backend = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        spent = -cpu_of(backend) - time.process_time()
        for n in range(TRIED):
            counted[0] = 0
            started = time.perf_counter()
            found = sessions.resolve_session(connection, token=tokens[n % len(tokens)], at=AT)
            took.append((time.perf_counter() - started) * 1000)
            most = max(most, counted[0])
            assert found is not None
            grants.append(len(found.actor.grants))
        spent += cpu_of(backend) + time.process_time()
    return took, most, statistics.mean(grants), spent / TRIED * 1000


def rows() -> list[tuple[str, str, str]]:
    """(what, figure, target) for the table of figures."""
    with tempfile.TemporaryDirectory(prefix="guicheng-bench-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        server = EmbeddedServer(Path(folder), settings=THROWAWAY)
        engine = make_engine(Settings(database_url=server.start(), data_dir=Path(folder), environment="test"))
        try:
            migrate.upgrade(engine)
            with engine.begin() as connection:
                accounts = fill(connection)
                chosen = random.Random(7).sample(accounts, 200)
                tokens = [sessions.open_session(connection, account_id=id, post_id=None, agent="bench", at=AT).token for id in chosen]
            took, most, grants, cpu = measure(engine, tokens)
        finally:
            engine.dispose()
            server.stop()
    p50, p95 = statistics.median(took), statistics.quantiles(took, n=20)[18]
    return [
        ("权限：每次请求的语句", f"{most} 条", "≤ 1 条"), ("权限：找到人、岗位、权限和授权 p50", f"{p50:.2f} 毫秒（{grants:.0f} 项授权）", "≤ 1 毫秒"),
        ("权限：同上 CPU（网页进程和数据库）", f"{cpu:.2f} 毫秒", "≤ 1 毫秒"), ("权限：同上 p95", f"{p95:.2f} 毫秒", "≤ 1 毫秒"),
    ]


def main() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever ends it lets it stop its servers
    for row in rows():
        print("\t".join(row))


if __name__ == "__main__":
    main()
