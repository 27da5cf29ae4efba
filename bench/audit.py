"""How fast the trail is verified: a chain of records as acts write them, read from the first to the last.

    .venv/bin/python bench/audit.py [records, default 300000]
"""
from __future__ import annotations

import os
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import orjson

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engine.access.audit_check import GENESIS, find_break, record_hash
from engine.kernel.settings import Settings
from engine.storage import migrate
from engine.storage.database import make_engine
from engine.storage.embedded import THROWAWAY, EmbeddedServer

CHAIN = "SC/JA"
START = datetime(2026, 1, 1, tzinfo=UTC)


def fill(connection: object, count: int) -> None:
    """``count`` records of a plausible act, by COPY."""
    before = GENESIS
    raw = connection.connection.driver_connection  # type: ignore[attr-defined]
    with raw.cursor() as cursor, cursor.copy("COPY audit (chain, seq, at, actor_id, actor_name, action, object, case_id, detail, hash) FROM STDIN") as copy:
        for seq in range(1, count + 1):
            detail = {"task": str(UUID(int=seq)), "node": "office_review", "outcome": "approve", "opinion": "事实清楚，证据充分，同意上报。", "rev": seq % 40, "act": "0" * 64, "state": "1" * 64, "forms": {}}
            row = {"chain": CHAIN, "seq": seq, "at": START + timedelta(seconds=seq), "actor_id": UUID(int=seq % 977), "actor_name": "季如松", "action": "act.complete",
                   "object": str(UUID(int=seq * 7)), "case_id": UUID(int=seq % 4999), "detail": detail}
            before = record_hash(before, row)
            copy.write_row((CHAIN, seq, row["at"], row["actor_id"], row["actor_name"], row["action"], row["object"], row["case_id"], orjson.dumps(detail).decode(), before))
    with raw.cursor() as cursor:
        cursor.execute("INSERT INTO audit_head (chain, seq, hash) VALUES (%s, %s, %s)", (CHAIN, count, before))


def cpu_of(pid: int) -> float:
    """Seconds of CPU that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 300_000
    with tempfile.TemporaryDirectory(prefix="guicheng-bench-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        server = EmbeddedServer(Path(folder), settings=THROWAWAY)
        engine = make_engine(Settings(database_url=server.start(), data_dir=Path(folder), environment="test"))
        try:
            migrate.upgrade(engine)
            with engine.begin() as connection:
                fill(connection, count)
            for _ in range(3):
                with engine.connect() as connection:
                    backend = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
                    wall, cpu, server_cpu = time.perf_counter(), time.process_time(), cpu_of(backend)
                    assert find_break(connection, CHAIN) is None
                    wall, cpu, server_cpu = time.perf_counter() - wall, time.process_time() - cpu, cpu_of(backend) - server_cpu
                print(f"{count:,} 条：每秒 {count / wall:,.0f} 条；核对进程每秒 CPU {count / cpu:,.0f} 条，数据库每秒 CPU {count / server_cpu:,.0f} 条，两者同时进行")
        finally:
            engine.dispose()
            server.stop()


if __name__ == "__main__":
    main()
