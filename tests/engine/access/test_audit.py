from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import Connection, delete, event, text, update

from engine.access.audit import append, chain_of_path, find_break, records_of, verify
from engine.kernel.ids import new_id
from engine.storage.tables.organisation import audit, audit_head

AT = datetime(2026, 3, 2, 1, 0, 0, 123456, tzinfo=UTC)
CASE = new_id()


def written(connection: Connection, count: int = 6, chain: str = "T/TA") -> None:
    """Records, on a connection that may tamper with them as the owner of a database can."""
    connection.execute(text("SET LOCAL session_replication_role = replica"))
    for i in range(count):
        append(
            connection,
            chain=chain,
            at=AT,
            actor_id=new_id(),
            actor_name="张三",
            action="complete",
            object=f"task {i}",
            case_id=CASE,
            detail={"金额": Decimal("12.50"), "n": i, "ratio": 0.1, "deep": {"b": [1, None, True, "\0x"], "a": AT}, "big": 1 << 60},
        )


def test_records_are_chained_and_two_statements_write_one(connection: Connection) -> None:
    written(connection)
    seen: list[str] = []
    listen = lambda *args: seen.append(args[2])  # noqa: E731
    event.listen(connection, "before_cursor_execute", listen)
    seq, hashed = append(connection, chain="T/TA", at=AT, actor_id=None, actor_name="系统", action="timer", object="")
    event.remove(connection, "before_cursor_execute", listen)
    assert (seq, len(hashed), len(seen)) == (7, 32, 2)
    assert verify(connection, "T/TA") is None
    assert verify(connection, "no such chain") is None
    assert [row.seq for row in records_of(connection, case_id=CASE)] == [6, 5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("at", datetime(2026, 3, 2, tzinfo=UTC)),
        ("actor_id", None),
        ("actor_name", "李四"),
        ("action", "view"),
        ("object", "x"),
        ("case_id", None),
        ("detail", {"n": 4}),
        ("hash", bytes(32)),
    ],
)
def test_a_changed_field_is_found_at_its_record(connection: Connection, column: str, value: object) -> None:
    written(connection)
    connection.execute(update(audit).where(audit.c.seq == 4, audit.c.chain == "T/TA").values({column: value}))
    assert verify(connection, "T/TA") == 4


def test_a_deleted_swapped_or_cut_record_is_found(connection: Connection) -> None:
    written(connection)
    here = audit.c.chain == "T/TA"
    with connection.begin_nested() as part:
        connection.execute(delete(audit).where(here, audit.c.seq == 3))
        assert verify(connection, "T/TA") == 3
        part.rollback()
    with connection.begin_nested() as part:
        connection.execute(delete(audit).where(here, audit.c.seq >= 5))
        broken = find_break(connection, "T/TA")
        assert broken is not None and broken.seq == 5 and "末尾" in broken.why
        part.rollback()
    with connection.begin_nested() as part:
        for old, new in ((2, 99), (3, 2), (99, 3)):
            connection.execute(update(audit).where(here, audit.c.seq == old).values(seq=new))
        assert verify(connection, "T/TA") == 2
        part.rollback()
    connection.execute(delete(audit_head).where(audit_head.c.chain == "T/TA"))
    assert verify(connection, "T/TA") == 1


def test_a_detail_that_can_not_be_kept_is_refused(connection: Connection) -> None:
    with pytest.raises(TypeError):
        append(connection, chain="T", at=AT, actor_id=None, actor_name="", action="x", object="", detail={"x": object()})


def test_chains_are_per_district_bureau_and_per_city_bureau() -> None:
    assert chain_of_path("MR/MR_JA/MR_JA_S1/", at_city=False) == "MR/MR_JA"
    assert chain_of_path("MR/MR_LAW/", at_city=True) == "MR"
