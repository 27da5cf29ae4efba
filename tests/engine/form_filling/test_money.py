from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.form_filling.money import capital, grouped, normal, parse

amounts = st.decimals(min_value=0, max_value=Decimal("9999999999999999.99"), places=2)


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("1409.50", "壹仟肆佰零玖元伍角整"),
        ("6007.14", "陆仟零柒元壹角肆分"),
        ("1680.32", "壹仟陆佰捌拾元叁角贰分"),
        ("107000.53", "壹拾万柒仟元伍角叁分"),
        ("16409.02", "壹万陆仟肆佰零玖元零贰分"),
        ("325.04", "叁佰贰拾伍元零肆分"),
        ("0.05", "伍分"),
        ("0.50", "伍角整"),
        ("0", "零元整"),
        ("10", "壹拾元整"),
        ("100000000", "壹亿元整"),
        ("1000000000000", "壹万亿元整"),
        ("1000500000000", "壹万零伍亿元整"),
        ("1000000000001", "壹万亿零壹元整"),
        ("100010000", "壹亿零壹万元整"),
        ("-3.2", "负叁元贰角整"),
    ],
)
def test_capital_words_follow_the_national_rules(amount: str, words: str) -> None:
    assert capital(Decimal(amount)) == f"人民币{words}"


@given(amounts)
def test_capital_words_can_be_read_back(amount: Decimal) -> None:
    assert read_back(capital(amount, currency="")) == amount


@given(amounts)
def test_capital_words_never_hold_two_zeros_in_a_row(amount: Decimal) -> None:
    words = capital(amount)
    assert "零零" not in words
    assert words.endswith(("整", "分"))


@given(amounts)
def test_what_is_shown_is_understood_again(amount: Decimal) -> None:
    assert parse(grouped(amount)) == parse(normal(amount)) == amount


@pytest.mark.parametrize(("text", "amount"), [("￥1,234.5 元", "1234.50"), ("１２．３", "12.30"), ("1.2万", "12000.00"), ("-5", "-5.00")])
def test_amounts_as_people_type_them(text: str, amount: str) -> None:
    assert normal(parse(text)) == amount


@pytest.mark.parametrize("text", ["", "十元", "1.234", "1e5", "NaN", "99999999999999999", "1..2"])
def test_what_is_no_amount_is_refused_in_chinese(text: str) -> None:
    with pytest.raises(ValueError, match="金额"):
        parse(text)


def read_back(words: str) -> Decimal:
    """An independent reading of 大写: sums digit × place, multiplied by 万 and 亿 where they stand."""
    digits = {word: value for value, word in enumerate("零壹贰叁肆伍陆柒捌玖")}
    total = section = high = number = Decimal(0)
    for word in words.rstrip("整"):
        if word in digits:
            number = Decimal(digits[word])
        elif word in "拾佰仟":
            section += number * 10 ** ("拾佰仟".index(word) + 1)
            number = Decimal(0)
        elif word == "万":
            section, number = (section + number) * 10_000, Decimal(0)
            high, section = high + section, Decimal(0)
        elif word == "亿":
            high, section, number = (high + section + number) * 100_000_000, Decimal(0), Decimal(0)
            total, high = total + high, Decimal(0)
        elif word == "元":
            total, high, section, number = total + high + section + number, Decimal(0), Decimal(0), Decimal(0)
        elif word in "角分":
            total, number = total + number / (10 if word == "角" else 100), Decimal(0)
    return total
