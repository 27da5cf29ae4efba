"""Counts SQL as PostgreSQL saw it (pg_stat_statements), so that nothing escapes: pipelines, pools, other connections."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg
from sqlalchemy import Engine

FRAME = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")
READ = """
SELECT query, calls FROM pg_stat_statements
WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND query NOT LIKE '%pg_stat_statements%'
ORDER BY query
"""


@dataclass
class Counted:
    """Filled when the block ends. ``statements`` leaves out what only frames a transaction; ``frames`` holds that."""

    statements: list[str] = field(default_factory=list)
    frames: list[str] = field(default_factory=list)

    @property
    def commits(self) -> int:
        return sum(frame.startswith("COMMIT") for frame in self.frames)

    def __str__(self) -> str:
        lines = [f"{len(self.statements)} statements, {self.commits} commits"]
        return "\n".join(lines + [f"  {text[:300]}" for text in self.statements])


@contextmanager
def counted(database: Engine) -> Iterator[Counted]:
    """Every statement that anybody sends to ``database`` while the block runs; one entry per execution."""
    address = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    made = Counted()
    with psycopg.connect(address, autocommit=True) as meter:
        meter.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        meter.execute("SELECT pg_stat_statements_reset()")
        yield made
        for query, calls in meter.execute(READ).fetchall():
            text = " ".join(str(query).split())
            (made.frames if text.upper().startswith(FRAME) else made.statements).extend([text] * int(calls))
