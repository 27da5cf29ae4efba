from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, delete, text, update

from engine.access import anchors
from engine.access.audit import append
from engine.access.audit_check import GENESIS, record_hash
from engine.kernel.gm import KeyRing
from engine.storage.tables.organisation import audit, audit_head
from engine.storage.tables.proof import audit_anchor
from tests.conftest import NOW


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> KeyRing:
    return KeyRing(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def trail(connection: Connection, keys: KeyRing, tmp_path: Path) -> Path:
    """Two chains of six records, anchored after the fourth and the sixth; the folder where anchors are kept outside."""
    connection.execute(text("SET LOCAL session_replication_role = replica"))  # what follows tampers as the owner of a database can
    for round in range(3):
        for chain in ("Z/ZA", "Z/ZB"):
            for number in range(2):
                append(connection, chain=chain, at=NOW, actor_id=None, actor_name="张三", action="act.complete", object=f"{round}.{number}", detail={"n": number})
        if round:
            made = anchors.set_anchor(connection, keys, at=NOW + timedelta(hours=round))
            assert made is not None
            anchors.keep_outside(tmp_path, anchors.as_line(made))
    return tmp_path


def broken(connection: Connection, keys: KeyRing, folder: Path | None) -> dict[str, tuple[int, str]]:
    report = anchors.check_trail(connection, keys, folder=folder)
    found = {one.chain: (one.broken.seq, one.broken.why) for one in report.chains if one.broken}
    if report.anchor_break:
        found["anchors"] = (report.anchor_break.seq, report.anchor_break.why)
    assert report.good == (not found)
    return found


def rewrite(connection: Connection, chain: str, first: int) -> None:
    """A forger with the database: every hash from ``first`` on computed again, the head put right."""
    rows = connection.execute(audit.select().where(audit.c.chain == chain).order_by(audit.c.seq)).mappings().all()
    before = GENESIS
    for row in rows:
        before = record_hash(before, dict(row)) if row["seq"] >= first else row["hash"]
        connection.execute(update(audit).where(audit.c.chain == chain, audit.c.seq == row["seq"]).values(hash=before))
    connection.execute(update(audit_head).where(audit_head.c.chain == chain).values(seq=len(rows), hash=before))


def test_an_untouched_trail_holds_and_an_idle_hour_sets_no_anchor(connection: Connection, keys: KeyRing, trail: Path) -> None:
    assert broken(connection, keys, trail) == {}
    assert anchors.set_anchor(connection, keys, at=NOW + timedelta(hours=9)) is None
    assert [line["seq"] for line in anchors.kept_outside(trail)] == [1, 2]


@pytest.mark.requirement("NFM-014")
@pytest.mark.requirement("NFR-096")
def test_a_record_rewritten_with_all_hashes_after_it_contradicts_the_anchor(connection: Connection, keys: KeyRing, trail: Path) -> None:
    connection.execute(update(audit).where(audit.c.chain == "Z/ZA", audit.c.seq == 2).values(actor_name="李四"))
    rewrite(connection, "Z/ZA", 2)
    assert broken(connection, keys, trail) == {"Z/ZA": (4, "这条记录与当时的锚定不符：它或它之前的记录被整段重写")}


def test_records_cut_at_the_end_are_missed_although_the_head_was_put_right(connection: Connection, keys: KeyRing, trail: Path) -> None:
    connection.execute(delete(audit).where(audit.c.chain == "Z/ZB", audit.c.seq > 3))
    rewrite(connection, "Z/ZB", 9)
    assert broken(connection, keys, trail)["Z/ZB"] == (4, "末尾的记录被删去：已锚定到第 6 条")


def test_a_chain_taken_away_whole_is_missed(connection: Connection, keys: KeyRing, trail: Path) -> None:
    connection.execute(delete(audit).where(audit.c.chain == "Z/ZA"))
    connection.execute(delete(audit_head).where(audit_head.c.chain == "Z/ZA"))
    assert broken(connection, keys, trail)["Z/ZA"][0] == 1


@pytest.mark.parametrize("change", [{"seq": 9}, {"hash": bytes(32)}])
def test_a_head_that_was_tampered_with_is_found(connection: Connection, keys: KeyRing, trail: Path, change: dict[str, Any]) -> None:
    connection.execute(update(audit_head).where(audit_head.c.chain == "Z/ZA").values(change))
    assert "Z/ZA" in broken(connection, keys, trail)


@pytest.mark.parametrize("change", [
    {"at": NOW}, {"heads": [["Z/ZA", 1, "00"]]}, {"before": b"\1" * 32}, {"hash": b"\1" * 32}, {"signature": b"\1" * 70}, {"certificate": b"\1"},
])
def test_each_field_of_an_anchor_is_protected(connection: Connection, keys: KeyRing, trail: Path, change: dict[str, Any]) -> None:
    connection.execute(update(audit_anchor).where(audit_anchor.c.seq == 1).values(change))
    assert broken(connection, keys, None)["anchors"][0] == 1


def test_an_anchor_taken_away_or_signed_by_somebody_else_is_found(connection: Connection, keys: KeyRing, trail: Path, tmp_path: Path) -> None:
    with connection.begin_nested() as part:
        connection.execute(delete(audit_anchor).where(audit_anchor.c.seq == 1))
        assert broken(connection, keys, None)["anchors"] == (1, "这个锚点不见了")
        part.rollback()
    with connection.begin_nested() as part:
        connection.execute(delete(audit_anchor).where(audit_anchor.c.seq == 2))
        assert broken(connection, keys, None) == {}
        assert broken(connection, keys, trail)["anchors"] == (2, "末尾的锚点被删去：数据库外保存到第 2 个")
        part.rollback()
    connection.execute(delete(audit_anchor))
    assert anchors.set_anchor(connection, KeyRing(tmp_path / "forger"), at=NOW + timedelta(hours=1)) is not None
    assert "证书" in broken(connection, keys, None)["anchors"][1]
