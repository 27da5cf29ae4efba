"""Microseconds per evaluation of FEEL expressions and decision tables, beside a Python function that says the same.

    .venv/bin/python bench/feel.py
"""
from __future__ import annotations

import sys
import timeit
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engine.decisions import compile_dmn
from engine.expressions import build_expression, compile_expression

FACTS = {
    "outcome": "approve", "amount": 60000, "district": "b", "urgent": False, "case": {"level": 3}, "items": [1, 2, 3, 4, 5],
    "day": None,
}
EXPRESSIONS = {
    "outcome and amount": 'outcome = "approve" and amount > 50000',
    "the measured example": 'outcome = "approve" and amount > 10000 and district in ["a", "b", "c"] and (case.level >= 2 or not(urgent))',
    "outcome only": 'outcome = "approve"',
    "arithmetic": "amount * 0.05 + 100",
    "date plus duration": '@"2026-01-31" + @"P1M"',
    "filter of five": "items[item > 2]",
    "loop of five": "sum(for i in items return i * i)",
    "string functions": 'upper case(substring(outcome, 1, 3)) = "APP"',
    "regular expression": 'matches("13800138000", "^1[3-9][0-9]{9}$")',
}


def microseconds(run: object, number: int = 20_000) -> float:
    """The best of five rounds."""
    return min(timeit.repeat(run, number=number, repeat=5)) / number * 1e6  # type: ignore[call-overload]


def table(rules: int) -> bytes:
    """A table of three inputs with as many rules, of which the last but ten matches."""
    rows = "".join(
        f'<rule><inputEntry><text>"k{n}"</text></inputEntry><inputEntry><text>[{n}..{n + 5}]</text></inputEntry>'
        f"<inputEntry><text>-</text></inputEntry><outputEntry><text>{n}</text></outputEntry></rule>" for n in range(rules))
    return (
        '<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" name="t" namespace="t">'
        '<inputData id="a" name="a"/><inputData id="b" name="b"/><inputData id="c" name="c"/>'
        '<decision id="d" name="d">' + "".join(f'<informationRequirement><requiredInput href="#{x}"/></informationRequirement>' for x in "abc")
        + '<decisionTable hitPolicy="UNIQUE">' + "".join(f"<input><inputExpression><text>{x}</text></inputExpression></input>" for x in "abc")
        + f'<output name="o"/>{rows}</decisionTable></decision></definitions>').encode()


def example() -> float:
    """Microseconds of the measured example, compiled."""
    compiled = compile_expression(EXPRESSIONS["the measured example"])
    return microseconds(lambda: compiled.evaluate(FACTS))


def table_of_1000() -> float:
    """Milliseconds of a table of a thousand rules, compiled."""
    model, context = compile_dmn(table(1000)), {"a": "k990", "b": 992, "c": 1}
    return microseconds(lambda: model.evaluate("d", context), 200) / 1000


def main() -> None:
    print(f"{'expression':28} {'compile µs':>11} {'evaluate µs':>12}")
    for title, text in EXPRESSIONS.items():
        expression = compile_expression(text)
        compiled = microseconds(lambda text=text: build_expression(text), 300)
        print(f"{title:28} {compiled:11.1f} {microseconds(lambda e=expression: e.evaluate(FACTS)):12.3f}")
    python = microseconds(lambda: FACTS["outcome"] == "approve" and FACTS["amount"] > 50000)
    print(f"{'(Python, outcome and amount)':28} {'':11} {python:12.3f}")
    print(f"\n{'decision table':28} {'compile ms':>11} {'evaluate ms':>12}")
    for rules in (10, 100, 1000):
        xml = table(rules)
        model = compile_dmn(xml)
        compiled = microseconds(lambda xml=xml: compile_dmn(xml), 1) / 1000
        context = {"a": f"k{rules - 10}", "b": rules - 8, "c": 1}
        print(f"{f'{rules} rules':28} {compiled:11.1f} {microseconds(lambda m=model, c=context: m.evaluate('d', c), 200) / 1000:12.4f}")


if __name__ == "__main__":
    main()
