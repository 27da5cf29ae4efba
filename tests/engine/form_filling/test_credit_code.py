import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.form_filling.checks.credit_code import ALPHABET, check, check_character, is_individual_business

first17 = st.builds(
    lambda head, area, body: head + f"{area:06}" + body,
    st.sampled_from(["91", "92", "93", "12", "51"]),
    st.integers(110000, 659999),
    st.text(ALPHABET, min_size=9, max_size=9),
)


@given(first17)
def test_a_code_with_its_check_character_is_taken(first: str) -> None:
    assert check((first + check_character(first)).lower()) == first + check_character(first)


@given(first17, st.integers(8, 16), st.sampled_from(ALPHABET))
def test_one_wrong_character_is_always_found(first: str, place: int, other: str) -> None:
    code = first + check_character(first)
    if code[place] != other:
        with pytest.raises(ValueError, match="第 18 位应是"):
            check(code[:place] + other + code[place + 1 :])


@pytest.mark.parametrize(("code", "part"), [("9131", "18 位"), ("91310101MA1FPOAB1X", "没有 I、O"), ("91X10101MA1FP0AB1X", "行政区划码")])
def test_what_is_no_code_says_why(code: str, part: str) -> None:
    with pytest.raises(ValueError, match=part):
        check(code)


def test_ninety_two_is_an_individual_business() -> None:
    assert is_individual_business(check("92310199MA00042069"))
