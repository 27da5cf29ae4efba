"""Assisted sorting of clues."""
from __future__ import annotations

import pytest

from handlers.case_filing.classification import LINES, suggest


@pytest.mark.parametrize(
    ("text", "domain", "category"),
    [
        ("反映一家面包店销售超过保质期的蛋糕", "food_safety", "food"),
        ("小区电梯超期未检", "special_equipment", "equipment"),
        ("网页广告使用“最佳”等绝对化用语", "advertising", "competition"),
        ("称重的秤不准，缺斤少两", "metrology", "quality"),
        ("今天天气不错", None, "other"),
    ],
)
def test_a_clue_goes_to_the_line_that_most_of_its_words_name(text: str, domain: str | None, category: str) -> None:
    assert suggest(text) == (domain, category)


def test_every_line_names_codes_of_the_dictionaries(content_root) -> None:  # type: ignore[no-untyped-def]
    from engine.packs.yaml import read_yaml

    def codes(name: str) -> set[str]:
        path = content_root / "processes" / "case_filing" / "dictionaries" / f"{name}.yaml"
        return {entry["code"] for entry in read_yaml(path.read_bytes(), file=path.name)["entries"]}

    assert {domain for _, domain, _ in LINES} <= codes("domain")
    assert {category for _, _, category in LINES} <= codes("clue_category")
