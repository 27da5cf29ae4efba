"""Laws that hold for all values."""
from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.expressions import FeelError, compile_expression
from engine.expressions.values import NUMBERS

numbers = st.decimals(min_value=Decimal("-1e15"), max_value=Decimal("1e15"), places=6, allow_nan=False, allow_infinity=False)
truth = st.sampled_from([True, False, None])
dates = st.dates(dt.date(1900, 1, 1), dt.date(2200, 12, 31))
plain = settings(max_examples=120, deadline=None, derandomize=True)


def value(text: str, **context: Any) -> Any:
    return compile_expression(text).evaluate(context)


@plain
@given(numbers, numbers, numbers)
def test_arithmetic_keeps_its_laws(a: Decimal, b: Decimal, c: Decimal) -> None:
    assert value("a + b = b + a", a=a, b=b) is True
    assert value("a * b = b * a", a=a, b=b) is True
    assert value("a - b + b", a=a, b=b) == a
    assert value("(a + b) + c = a + (b + c)", a=a, b=b, c=c) is True
    assert value("-(-a)", a=a) == a
    assert value("a + b", a=a, b=b) == NUMBERS.add(a, b)


@plain
@given(numbers, numbers)
def test_exactly_one_of_less_equal_greater_holds(a: Decimal, b: Decimal) -> None:
    assert [value(f"a {sign} b", a=a, b=b) for sign in ("<", "=", ">")].count(True) == 1
    assert value("a <= b", a=a, b=b) is not value("a > b", a=a, b=b)


@plain
@given(numbers, numbers.filter(bool))
def test_modulo_and_floor_fit_together(a: Decimal, b: Decimal) -> None:
    rest = value("modulo(a, b)", a=a, b=b)

    assert rest == 0 or (rest < 0) == (b < 0)
    assert abs(rest) < abs(b)


@plain
@given(truth, truth, truth)
def test_logic_keeps_the_laws_of_kleene(a: bool | None, b: bool | None, c: bool | None) -> None:
    context = {"a": a, "b": b, "c": c}
    for left, right in [
        ("a and b", "b and a"), ("a or b", "b or a"), ("not(a and b)", "not(a) or not(b)"), ("not(a or b)", "not(a) and not(b)"),
        ("a and (b or c)", "a and b or a and c"), ("a or b and c", "(a or b) and (a or c)"), ("not(not(a))", "a"), ("all([a, b, c])", "a and b and c"),
        ("any([a, b, c])", "a or b or c"), ("a and b and c", "a and (b and c)"), ("every x in [a, b] satisfies x", "a and b"),
        ("some x in [a, b] satisfies x", "a or b"),
    ]:
        assert value(left, **context) is value(right, **context)


@plain
@given(dates, st.integers(-600, 600), st.integers(-100_000, 100_000))
def test_dates_shift_there_and_back(day: dt.date, months: int, days: int) -> None:
    context = {"d": day, "days": dt.timedelta(days=days)}

    assert value("d + days - days", **context) == day
    assert value("d + days - d", **context) == dt.timedelta(days=days)
    moved = value(f'd + @"{"-" if months < 0 else ""}P{abs(months)}M"', d=day)
    assert value("years and months duration(a, b)", a=day.replace(day=min(day.day, 28)), b=moved.replace(day=min(day.day, 28))).total == months
    assert value("date(string(d))", d=day) == day


@plain
@given(st.lists(numbers, max_size=30))
def test_lists_sort_reverse_and_sum(items: list[Decimal]) -> None:
    assert value("sort(x, function(a, b) a < b)", x=items) == sorted(items)
    assert value("reverse(reverse(x))", x=items) == items
    assert value("count(x[item > 0]) + count(x[item <= 0])", x=items) == len(items)
    assert value("sum(x)", x=items) == (sum(items) if items else None)


@plain
@given(st.text(max_size=40), st.text(max_size=5))
def test_strings_split_into_what_they_were(text: str, part: str) -> None:
    assert value("string length(t)", t=text) == len(text)
    assert value("contains(t, p)", t=text, p=part) is (part in text)
    if part and part in text:
        assert value("substring before(t, p) + p + substring after(t, p)", t=text, p=part) == text


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.text(max_size=60))
def test_any_text_compiles_or_is_refused(text: str) -> None:
    error = None
    try:
        compile_expression(text).evaluate({})
    except FeelError as refusal:
        error = refusal

    assert error is None or error.line >= 1
