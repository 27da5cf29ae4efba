"""文号 under concurrency: no gap, no double."""
from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select

from engine.documents.numbers import check_pattern, give_number, void_number
from engine.kernel.clock import SHANGHAI
from engine.kernel.errors import DeployRefused, Invalid
from engine.packs.manifest import NumberRule
from engine.storage.tables.documents import number_book, number_counter
from engine.storage.tables.organisation import unit

AT = datetime(2026, 11, 20, 10, 0, tzinfo=SHANGHAI)
RULE = NumberRule(name="sample.filing", title="立案文号", pattern="{unit}立〔{year}〕{seq:04}号")


def book(bureau: Any) -> list[Any]:
    with bureau.app.db.connect() as connection:
        return list(connection.execute(select(number_book).order_by(number_book.c.unit_id, number_book.c.year, number_book.c.seq)))


def test_threads_that_number_at_once_and_sometimes_roll_back_leave_neither_gap_nor_double(bureau: Any) -> None:
    def one(index: int) -> str | None:
        with bureau.app.db.connect() as connection:
            transaction = connection.begin()
            given = give_number(connection, rule=RULE, unit_id=bureau.units["station"], at=AT)
            time.sleep(random.random() / 500)
            if index % 4 == 3:
                transaction.rollback()
                return None
            transaction.commit()
            return given.text

    with ThreadPoolExecutor(6) as pool:
        texts = [text for text in pool.map(one, range(80)) if text]
    rows = book(bureau)
    assert sorted(texts) == [f"沪市监云立〔2026〕{n:04}号" for n in range(1, 61)]
    assert [row.seq for row in rows] == list(range(1, 61))
    assert {row.unit_id for row in rows} == {bureau.units["district"]}


def test_each_year_and_each_kind_counts_for_itself(bureau: Any) -> None:
    next_year = datetime(2026, 12, 31, 16, 30, tzinfo=SHANGHAI).replace(hour=23, minute=59)
    first_day = datetime.fromisoformat("2026-12-31T16:00:01+00:00")
    other = NumberRule(name="sample.other", title="", pattern="{unit}线〔{year}〕{seq}号")
    with bureau.app.db.begin() as connection:
        texts = [
            give_number(connection, rule=rule, unit_id=bureau.units["station"], at=at).text
            for rule, at in ((RULE, AT), (RULE, next_year), (RULE, first_day), (other, AT))
        ]
    assert texts == ["沪市监云立〔2026〕0001号", "沪市监云立〔2026〕0002号", "沪市监云立〔2027〕0001号", "沪市监云线〔2026〕1号"]


def test_a_rule_per_unit_counts_for_the_station_alone(bureau: Any) -> None:
    per_unit = NumberRule(name="sample.local", title="", pattern="{unit}所〔{year}〕{seq}号", per="unit")
    with bureau.app.db.begin() as connection:
        given = give_number(connection, rule=per_unit, unit_id=bureau.units["station"], at=AT)
    assert (given.text, given.unit_id) == ("沪市监云所〔2026〕1号", bureau.units["station"])


def test_a_voided_number_stays_in_the_book_and_is_not_given_again(bureau: Any) -> None:
    with bureau.app.db.begin() as connection:
        given = give_number(connection, rule=RULE, unit_id=bureau.units["station"], at=AT)
        void_number(connection, number_id=given.id, reason="退回承办人")
        after = give_number(connection, rule=RULE, unit_id=bureau.units["station"], at=AT)
    assert [(row.seq, row.state, row.reason) for row in book(bureau)] == [(1, "void", "退回承办人"), (2, "used", "")]
    assert after.seq == 2


def test_the_counter_agrees_with_the_book(bureau: Any) -> None:
    with bureau.app.db.begin() as connection:
        for _ in range(3):
            give_number(connection, rule=RULE, unit_id=bureau.units["station"], at=AT)
        assert connection.execute(select(number_counter.c.last)).scalars().all() == [3]


def test_a_bureau_without_its_word_is_told_to_set_it(bureau: Any) -> None:
    with bureau.app.db.begin() as connection:
        connection.execute(unit.update().values(number_word=""))
        with pytest.raises(Invalid, match="没有设置机关代字"):
            give_number(connection, rule=RULE, unit_id=bureau.units["station"], at=AT)


@pytest.mark.parametrize("pattern", ["{unit}立〔{year}〕号", "{unit.path}{seq}", "{other}{seq}", "{seq", "{}{seq}"])
def test_a_pattern_that_cannot_count_is_refused(pattern: str) -> None:
    with pytest.raises(DeployRefused):
        check_pattern(pattern)
