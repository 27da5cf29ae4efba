import pytest

from engine.form_filling.checks.phone import check


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("13800138000", "13800138000"),
        ("+86 138 0013 8000", "13800138000"),
        ("02162345678", "02162345678"),
        ("62345678", "62345678"),
        ("021-62345678-801", "021-62345678-801"),
        ("400-820-1234", "400-820-1234"),
    ],
)
def test_numbers_as_people_write_them(text: str, number: str) -> None:
    assert check(text) == number


@pytest.mark.parametrize(("text", "part"), [("1380013800", "11 位"), ("12345678901", "没有这样开头"), ("电话不详", "写成")])
def test_what_is_no_number_says_how_to_write_it(text: str, part: str) -> None:
    with pytest.raises(ValueError, match=part):
        check(text)
