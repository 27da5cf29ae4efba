from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.form_filling.checks.identity_number import check, check_character

TODAY = date(2026, 11, 20)
days = st.dates(date(1900, 1, 1), TODAY)
first17 = st.builds(
    lambda area, day, seq: f"{area}{day:%Y%m%d}{seq:03}", st.sampled_from(["310101", "110105", "650102"]), days, st.integers(0, 999)
)


@given(first17)
def test_a_number_with_its_check_character_is_taken_and_taken_apart(first: str) -> None:
    found = check(first + check_character(first), today=TODAY)
    assert found.birth_date.strftime("%Y%m%d") == first[6:14]
    assert found.sex == ("男" if int(first[16]) % 2 else "女")


@given(first17, st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_is_always_found(first: str, place: int, by: int) -> None:
    number = first + check_character(first)
    wrong = number[:place] + str((int(number[place]) + by) % 10) + number[place + 1 :]
    with pytest.raises(ValueError, match=r"重填"):
        check(wrong, today=TODAY)


@given(first17, st.integers(0, 15))
def test_two_neighbours_exchanged_are_always_found(first: str, place: int) -> None:
    number = first + check_character(first)
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    if swapped != number:
        with pytest.raises(ValueError, match=r"重填"):
            check(swapped, today=TODAY)


def test_the_message_names_the_place_and_the_right_character() -> None:
    with pytest.raises(ValueError, match="第 18 位应是 6，填的是 4。请对照证件原件重填。"):
        check("310199197902114024", today=TODAY)


def test_full_width_blanks_and_small_x_are_understood() -> None:
    assert check(" １１０１０５ 19491231 002x ", today=TODAY).number == "11010519491231002X"


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("310101", "18 位"),
        ("110105491231002", "旧号"),
        ("310101" + "9" * 12, "日期"),
        ("001015194912310021", "地区代码"),
        ("31010119491301002A", "末位"),
    ],
)
def test_what_is_no_number_says_why(text: str, part: str) -> None:
    with pytest.raises(ValueError, match=part):
        check(text, today=TODAY)


def test_a_birth_date_after_today_is_refused() -> None:
    first = f"310101{TODAY + timedelta(days=1):%Y%m%d}001"
    with pytest.raises(ValueError, match="出生日期"):
        check(first + check_character(first), today=TODAY)
