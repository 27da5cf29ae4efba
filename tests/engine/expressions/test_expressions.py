from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from engine.expressions import (
    FeelError,
    Function,
    Range,
    YearMonthDuration,
    compile_expression,
    compile_unary_tests,
    referenced_names,
)


def value(text: str, **context: Any) -> Any:
    return compile_expression(text).evaluate(context)


@pytest.mark.parametrize(("text", "expected"), [
    ("1 + 2 * 3", 7), ("(1 + 2) * 3", 9), ("2 ** 3 ** 2", 64), ("-2 ** 2", 4), ("10 - 3 - 2", 5), ("7 / 2", Decimal("3.5")),
    ("0.1 + 0.2 = 0.3", True), ("1 / 3", Decimal("0.3333333333333333333333333333333333")),
    ('"规" + "程"', "规程"), ("if 1 > 2 then 1 else null", None), ("[1, 2, 3][-1]", 3), ("[1, 2, 3][item > 1]", [2, 3]),
    ("{a: 1, b: a + 1}.b", 2), ("for i in 1..3, j in [i, 10] return i * j", [1, 10, 4, 20, 9, 30]),
    ("some x in [1, 2] satisfies x > 1", True), ("every x in [] satisfies false", True),
    ("5 in (1, [4..6])", True), ("5 in [1..5)", False), ("5 between 1 and 5", True), ("(function(a, b) a - b)(b: 1, a: 3)", 2),
    ('substring("处罚决定书", 3)', "决定书"), ('string length("𠮷野家")', 3), ("sort([3, 1, 2], function(x, y) x > y)", [3, 2, 1]),
    ('[{name: "a", fine: 5}, {name: "b", fine: 9}][fine > 6].name', ["b"]), ("{f: function(n) if n < 2 then 1 else n * f(n - 1), v: f(5)}.v", 120),
    ("[1, [2, [3]]] instance of list<number>", False), ("{a: 1} instance of context<a: number>", True),
    ("1 + 1 // a remark\n + 1", 3), ("1 /* not this */ + 1", 2), ("not(null)", None), ("string(1.50)", "1.50"),
])
def test_an_expression_has_the_value_that_dmn_says(text: str, expected: Any) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(("text", "expected"), [
    ('@"2026-01-31" + @"P1M"', dt.date(2026, 2, 28)),
    ('date("2026-03-01") - date("2026-02-01")', dt.timedelta(days=28)),
    ('date and time("2026-01-01T08:00:00@Asia/Shanghai") = date and time("2026-01-01T00:00:00Z")', True),
    ('@"2026-11-20".weekday', 5), ('day of week(@"2026-11-20")', "Friday"), ('week of year(@"2026-01-01")', 1),
    ('years and months duration(@"2024-02-29", @"2026-02-28")', YearMonthDuration(23)),
    ('duration("P1DT2H") * 2', dt.timedelta(days=2, hours=4)), ('@"PT90M".hours', 1),
    ('time("23:30:00") + @"PT1H"', dt.time(0, 30)), ('@"2026-02-30"', None), ('date(2026, 2, 29)', None),
    ('string(@"-2017-12-31")', "-2017-12-31"), ('string(@"10:00:00.123456789")', "10:00:00.123456789"),
])
def test_dates_and_durations_reckon_as_dmn_says(text: str, expected: Any) -> None:
    assert value(text) == expected


def test_a_condition_reads_facts_of_python_and_json_types() -> None:
    condition = compile_expression('outcome = "approve" and amount > 50000')

    assert condition.evaluate({"outcome": "approve", "amount": 50001}) is True
    assert condition.evaluate({"outcome": "approve", "amount": 50000.5}) is True
    assert condition.evaluate({"outcome": "approve", "amount": Decimal(50000)}) is False
    assert condition.evaluate({"outcome": "approve", "amount": None}) is None
    assert condition.evaluate({"outcome": "reject"}) is False


def test_null_makes_three_valued_logic() -> None:
    for left, right, both, either in [
        (True, None, None, True), (False, None, False, None), (None, None, None, None), (None, True, None, True), (None, False, False, None),
    ]:
        assert value("a and b", a=left, b=right) is both
        assert value("a or b", a=left, b=right) is either


def test_names_hold_spaces_signs_and_chinese_words() -> None:
    assert compile_expression("罚款 金额 >= 1000").evaluate({"罚款 金额": 2000}) is True
    assert compile_expression("a-b + a", names=["a-b", "a"]).evaluate({"a-b": 10, "a": 1}) == 11
    assert compile_expression("profit and loss > 1", names=["profit and loss"]).evaluate({"profit and loss": 2}) is True
    assert compile_expression("a-b").evaluate({"a": 5, "b": 3}) == 2
    assert compile_expression("案件.立案 日期").evaluate({"案件": {"立案 日期": dt.date(2026, 1, 1)}}) == dt.date(2026, 1, 1)


def test_a_fact_may_have_the_name_of_a_built_in_function() -> None:
    expression = compile_expression('count > 1 and date = date("2026-01-01")', names=["count", "date"])

    assert expression.evaluate({"count": 2, "date": dt.date(2026, 1, 1)}) is True


def test_functions_of_the_context_extend_the_language() -> None:
    visited = Function(("node",), lambda node: node == "review")

    assert value('visited("review")', visited=visited) is True
    assert value('visited(node: "draft")', visited=visited) is False
    assert compile_expression("domain of(1)").evaluate({"domain of": Function(("x",), lambda x: x)}) == 1


def test_the_names_an_expression_needs_are_known() -> None:
    assert referenced_names('a.b > 1 and count(x[y = 1]) > 0 and (for i in xs return i + j) != null and outcome in ["a"]') == {
        "a", "x", "xs", "j", "outcome"}
    assert compile_expression("{k: 1, v: k + z}").names == {"z"}


@pytest.mark.parametrize(("text", "place", "words"), [
    ('outcom = "approve"', (1, 1), "没有名为“outcom”的数据"), ('true and\n  amount > "a"', (2, 10), "数字与文本不能比较大小"),
    ("case.levl >= 2", (1, 5), "没有“levl”这一项"), ("not(amount)", (1, 1), "需要“是/否”"), ("amount + true", (1, 8), "不能相加"),
    ("lenght(outcome)", (1, 1), "没有名为“lenght”的数据"), ("substring(amount, 1)", (1, 1), "需要文本"), ("1 / 0", (1, 3), "除数为零"),
    ("amount and true", (1, 1), "应是“是/否”"), ("if amount then 1 else 2", (1, 4), "应是“是/否”"),
])
def test_strict_evaluation_says_where_and_what_is_wrong(text: str, place: tuple[int, int], words: str) -> None:
    context = {"outcome": "approve", "amount": 5, "case": {"level": 2}}
    assert compile_expression(text).evaluate(context) in (None, False, 2)

    with pytest.raises(FeelError) as caught:
        compile_expression(text).evaluate_strict(context)

    assert words in caught.value.message
    assert (caught.value.line, caught.value.column) == place


def test_strict_evaluation_lets_null_be_null() -> None:
    assert compile_expression("amount > 5").evaluate_strict({"amount": None}) is None
    assert compile_expression("amount = null").evaluate_strict({"amount": None}) is True


@pytest.mark.parametrize(("text", "place", "words"), [
    ("a == 1", (1, 3), "一个等号"), ("a = （1）", (1, 5), "半角括号"), ('"abc', (1, 1), "双引号"), ("a +", (1, 4), "不完整"), ("", (1, 1), "不完整"),
    ("a\n  + ]", (2, 6), ""), ("a && b", (1, 3), "and"), ("x in [1..2", (1, 11), "区间"), ("if a then b", (1, 12), "else"),
    ("f(a: 1, 2)", (1, 2), "参数"), ("x instance of nonsense", (1, 23), "类型"), ("'a'", (1, 1), "双引号"), ("@5", (1, 1), "@"),
])
def test_a_text_that_is_not_feel_is_refused_with_its_place(text: str, place: tuple[int, int], words: str) -> None:
    with pytest.raises(FeelError) as caught:
        compile_expression(text)

    assert words in caught.value.message
    assert (caught.value.line, caught.value.column) == place


@pytest.mark.parametrize(("text", "given", "expected"), [
    ("-", 5, True), ("", 5, True), ("5", 5, True), ("< 5", 4, True), ("[1..5)", 5, False), ('"a", "b"', "b", True), ('not("a", "b")', "c", True),
    ("not([1..3], 7)", 7, False), ("? > 3 and ? < 9", 5, True), ("null", None, True), ("< 5", None, None), ("limit", 9, True), ("list", 2, True),
    ("> limit - 5", 5, True), ('starts with(?, "a")', "abc", True), ("true", False, False), ("limit > 3", "x", True), ("5, < 2", 1, True),
    ("(1..3]", 3, True), ("= 3", 3, True), ("!= 3", 3, False), ("[1, 2]", 2, True), ("count(?) = 2", [1, 2], True),
    ('@"2026-01-01"', dt.date(2026, 1, 1), True), ("not(limit > 3) and true", 1, False),
])
def test_unary_tests_match_as_cells_do(text: str, given: Any, expected: bool | None) -> None:
    assert compile_unary_tests(text).matches(given, {"limit": 9, "list": [1, 2]}) is expected


def test_a_cell_with_a_wrong_type_is_an_error_only_when_strict() -> None:
    tests = compile_unary_tests("< 5")

    assert tests.matches("a", {}) is None
    with pytest.raises(FeelError):
        tests.matches_strict("a", {})


def test_the_context_is_never_changed() -> None:
    context: dict[str, Any] = {"items": [3, 1, 2], "c": {"a": 1}}

    value('context put(c, "b", 2)', **context)
    compile_expression("for x in append(sort(items), 9) return {y: x}").evaluate(context)

    assert context == {"items": [3, 1, 2], "c": {"a": 1}}


def test_numbers_come_out_as_decimal_with_34_digits() -> None:
    assert type(value("a", a=5)) is Decimal
    assert value("a", a=0.1) == Decimal("0.1")
    assert value("2 / 3") == Decimal("0.6666666666666666666666666666666667")


def test_a_range_is_a_value() -> None:
    assert value("[1..3)") == Range(Decimal(1), Decimal(3), True, False)
    assert value("overlaps([1..5], [3..8])") is True


def test_now_is_the_instant_that_the_caller_gives() -> None:
    at = dt.datetime(2026, 11, 20, 20, 0, tzinfo=dt.UTC)

    assert compile_expression("today()").evaluate({"@now": at}) == dt.date(2026, 11, 21)
