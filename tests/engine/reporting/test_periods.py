"""Periods: read and written, before and a year before, split without gap or overlap."""
from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from engine.kernel.errors import Invalid
from engine.reporting.statistics.periods import GRAINS, Period, period_of, read_period

DAYS = some.dates(date(1990, 1, 1), date(2090, 12, 31))


@pytest.mark.parametrize(("code", "first", "last", "before", "year_before", "title"), [
    ("2026", "2026-01-01", "2026-12-31", "2025", "2025", "2026 年"), ("2026-Q1", "2026-01-01", "2026-03-31", "2025-Q4", "2025-Q1", "2026 年第 1 季度"),
    ("2024-02", "2024-02-01", "2024-02-29", "2024-01", "2023-02", "2024 年 2 月"), ("2020-W53", "2020-12-28", "2021-01-03", "2020-W52", "2019-W52", "2020 年第 53 周"),
    ("2024-02-29", "2024-02-29", "2024-02-29", "2024-02-28", "2023-02-28", "2024 年 2 月 29 日"),
    ("2026-03-01..2026-03-10", "2026-03-01", "2026-03-10", "2026-02-19..2026-02-28", "2025-03-01..2025-03-10", "2026-03-01 至 2026-03-10"),
])
def test_a_period_its_neighbours_and_its_name(code: str, first: str, last: str, before: str, year_before: str, title: str) -> None:
    period = read_period(code)
    assert (period.first.isoformat(), period.last.isoformat(), period.before().code, period.year_before().code, period.title) == (first, last, before, year_before, title)


@given(day=DAYS, grain=some.sampled_from(sorted(GRAINS)))
def test_codes_are_read_back_and_neighbours_touch(day: date, grain: str) -> None:
    period = period_of(day, grain)
    assert period.first <= day <= period.last and read_period(period.code) == period
    assert period.before().last == period.first - timedelta(days=1)


@given(day=DAYS, length=some.integers(0, 200), grain=some.sampled_from(sorted(GRAINS)))
def test_a_split_covers_every_day_once(day: date, length: int, grain: str) -> None:
    steps = Period(first=day, last=day + timedelta(days=length), grain="span").split(grain)
    assert steps[0].first == day and steps[-1].last == day + timedelta(days=length)
    assert all(one.last + timedelta(days=1) == two.first for one, two in pairwise(steps))


@pytest.mark.parametrize("code", ["", "26", "2026-13", "2026-Q5", "2026-W54", "2026-02-30", "2026-02-02..2026-02-01", "今年"])
def test_what_is_no_period_is_refused(code: str) -> None:
    with pytest.raises(Invalid, match="不认识"):
        read_period(code)


def test_too_many_steps_are_refused() -> None:
    with pytest.raises(Invalid, match="缩短期间"):
        read_period("2020-01-01..2026-01-01").split("day")
