from __future__ import annotations

import random
import re

import pytest

from engine.expressions import FeelError
from engine.expressions.errors import Problem
from engine.expressions.regex import compile_pattern


@pytest.mark.parametrize(("text", "pattern", "flags", "expected"), [
    ("13800138000", "^1[3-9]\\d{9}$", "", True), ("abc", "B", "i", True), ("a\nb", "a.b", "", False), ("a\nb", "a.b", "s", True), ("x\nyz", "^y", "m", True),
    ("沪A12345", "^\\p{IsCJKUnifiedIdeographs}[A-Z][A-Z0-9]{5}$", "", True), ("abab", "^(ab)\\1$", "", True), ("aXb", "a x b", "xi", True),
    ("a.b", "a.b", "q", True), ("axb", "a.b", "q", False), ("b", "[a-z-[aeiou]]", "", True), ("e", "[a-z-[aeiou]]", "", False),
    ("aaa", "^a{2,3}?$", "", True), ("", "^$", "", True), ("٣", "\\d", "", True), ("-", "[a-]", "", True), ("a-b", "^\\c+$", "", True),
])
def test_patterns_match_as_xpath_says(text: str, pattern: str, flags: str, expected: bool) -> None:
    assert (compile_pattern(pattern, flags).search(text, 0) is not None) is expected


@pytest.mark.parametrize("pattern", ["(", ")", "[", "a{", "a{2,1}", "*a", "\\q", "[]", "(?=a)", "(?P<x>a)", "[b-a]", "\\1(a)", "\\p{Nonsense}", "a**", "x" * 600])
def test_a_pattern_that_is_none_is_refused(pattern: str) -> None:
    with pytest.raises(Problem):
        compile_pattern(pattern, "")


def test_matching_agrees_with_python_on_random_patterns() -> None:
    chance = random.Random(7)
    atoms = ["a", "b", "c", ".", "[ab]", "[^a]", "(a|b)", "(ab)", "(?:c|a)", "\\d", "^", "$"]
    for _ in range(3000):
        pattern = "".join(chance.choice(atoms) + chance.choice(["", "", "*", "+", "?", "{1,2}", "*?", "+?"]) for _ in range(chance.randint(1, 4)))
        if re.search(r"[\^$][*+?{]", pattern):
            continue
        text = "".join(chance.choice("abc1") for _ in range(chance.randint(0, 8)))
        expected = re.search(pattern, text)
        try:
            found = compile_pattern(pattern, "").search(text, 0)
        except FeelError:
            continue
        assert (found[0] if found else None) == (expected.span() if expected else None), (pattern, text)
