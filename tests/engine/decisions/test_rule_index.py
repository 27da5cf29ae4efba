"""Looking up which rules can match gives what walking through all of them gives; a table nine times as long costs no look more."""
from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest

from engine.decisions import DecisionError, DecisionModel, compile_dmn
from engine.decisions.rule_index import RuleIndex

CELLS = ('"a"', '"b"', '"a", "b"', '["a", "c"]', "1", "1, 2", "2.0", "-", "not(\"a\")", "> 1", "[0..1]", "null", "true", "y", '"a", 1', "? = 1")
VALUES: tuple[Any, ...] = ("a", "b", "z", 1, Decimal(2), Decimal("1.0"), True, None, ["a"], {"k": 1})


def table(rows: list[tuple[str, str]], policy: str) -> bytes:
    rules = "".join(
        "<rule>" + "".join(f"<inputEntry><text>{cell.replace('>', '&gt;')}</text></inputEntry>" for cell in row) + f"<outputEntry><text>{number}</text></outputEntry></rule>"
        for number, row in enumerate(rows))
    inputs = "".join(f"<input><inputExpression><text>{name}</text></inputExpression></input>" for name in ("x", "y"))
    needs = "".join(f'<informationRequirement><requiredInput href="#{name}"/></informationRequirement>' for name in ("x", "y"))
    return ('<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" name="t" namespace="t"><inputData id="x" name="x"/><inputData id="y" name="y"/>'
            f'<decision id="d" name="d">{needs}<decisionTable hitPolicy="{policy}">{inputs}<output name="o"/>{rules}</decisionTable></decision></definitions>').encode()


def answers(model: DecisionModel) -> list[Any]:
    found = []
    for x in VALUES:
        for y in VALUES:
            try:
                found.append(model.evaluate("d", {"x": x, "y": y}))
            except DecisionError as error:
                found.append(error.message)
    return found


@pytest.mark.parametrize("policy", ["COLLECT", "FIRST", "UNIQUE", "RULE ORDER"])
def test_it_finds_what_walking_through_every_rule_finds(policy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pick = random.Random(policy)
    for _ in range(4):
        xml = table([(pick.choice(CELLS), pick.choice(CELLS)) for _ in range(60)], policy)
        looked = answers(compile_dmn(xml))
        with monkeypatch.context() as without:
            without.setattr("engine.decisions.rule_index.WORTH", 1_000)
            assert looked == answers(compile_dmn(xml))


def test_only_rules_that_can_match_are_walked_through() -> None:
    index = RuleIndex([(0, frozenset({f"k{number}"})) if number % 10 else None for number in range(9_000)])
    found = index.candidates(["k8991"])
    assert (len(found), 8_991 in found, found == sorted(found)) == (901, True, True)
    assert len(index.candidates([None])) == 9_000
