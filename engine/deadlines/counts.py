"""How many live clocks end when, by unit: kept in ``clock_count``, with what happened in the last minute in ``clock_delta``.

Triggers of ``case_clock`` write the differences, so that no two acts wait for one counter; the clock process folds them.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Select, Table, case, delete, func, literal, select, union_all
from sqlalchemy.dialects.postgresql import insert

from engine.storage.tables.cases import case_clock
from engine.storage.tables.clocks import clock_count, clock_delta

KEY = ("unit_id", "clock", "due_on")


def fold_counts(connection: Connection) -> int:
    """Take the differences into the counts; how many rows changed. Whoever reads meanwhile sees either both or the sum."""
    gone = delete(clock_delta).returning(*(clock_delta.c[name] for name in (*KEY, "n"))).cte("gone")
    summed = select(*(gone.c[name] for name in KEY), func.sum(gone.c.n).label("n")).group_by(*(gone.c[name] for name in KEY)).having(func.sum(gone.c.n) != 0)
    write = insert(clock_count).from_select([*KEY, "n"], summed)
    upsert = write.on_conflict_do_update(index_elements=KEY, set_={"n": clock_count.c.n + write.excluded.n}).returning(clock_count.c.n)
    changed = len(connection.scalars(upsert).all())
    if changed:
        connection.execute(delete(clock_count).where(clock_count.c.n == 0))
    return changed


def find_miscounts(connection: Connection) -> list[str]:
    """Where counts and clocks differ; empty when all is well. For the doctor and for tests."""
    live = case_clock.c.state.in_(("running", "suspended"))
    place = [
        func.coalesce(case_clock.c.unit_id, literal("00000000-0000-0000-0000-000000000000").cast(case_clock.c.unit_id.type)).label("unit_id"),
        func.split_part(case_clock.c.clock, "/", 1).label("clock"),
        func.coalesce(case((case_clock.c.state == "running", case_clock.c.due_on)), literal("9999-12-31").cast(case_clock.c.due_on.type)).label("due_on"),
    ]
    true = select(*place, func.count().label("n")).where(live).group_by(*place)
    all_ = union_all(_rows(clock_count), _rows(clock_delta), _negated(true))
    joined = all_.subquery()
    wrong = select(*(joined.c[name] for name in KEY), func.sum(joined.c.n).label("n")).group_by(*(joined.c[name] for name in KEY)).having(func.sum(joined.c.n) != 0)
    return [f"期限计数不符：单位 {row.unit_id}，{row.clock}，{row.due_on}，差 {row.n}" for row in connection.execute(wrong)]


def _rows(table: Table) -> Select[Any]:
    return select(*(table.c[name] for name in (*KEY, "n")))


def _negated(statement: Select[Any]) -> Select[Any]:
    counted = statement.subquery()
    return select(*(counted.c[name] for name in KEY), (-counted.c.n).label("n"))
