"""Reads the test files of the public DMN compatibility kit (dmn-tck): cases with inputs and expected values."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from lxml import etree

from engine.decisions import DecisionError, DecisionModel, compile_dmn
from engine.expressions.temporal_text import parse_date, parse_datetime, parse_duration, parse_time, text_of
from engine.expressions.values import kind_of

XSI = "{http://www.w3.org/2001/XMLSchema-instance}"


@dataclass
class Case:
    """One expected value: of a decision, or of an invocable when ``invocable`` is set."""

    key: str
    folder: Path
    model: str
    context: dict[str, Any] = field(default_factory=dict)
    invocable: str | None = None
    decision: str = ""
    expected: Any = None
    error_expected: bool = False
    several: bool = False


def cases(folder: Path) -> Iterator[Case]:
    """Every case of the test files in one folder of the kit."""
    for path in sorted(folder.glob("*-test-*.xml")):
        root = etree.parse(str(path)).getroot()
        model = root.findtext("{*}modelName")
        for number, test in enumerate(root.iter("{*}testCase"), 1):
            context = {node.get("name"): _value(node) for node in test.findall("{*}inputNode")}
            for result in test.findall("{*}resultNode"):
                expected = result.find("{*}expected")
                computed = expected if expected is not None else result.find("{*}computed")
                yield Case(
                    f"{folder.name}/{test.get('id') or number}/{result.get('name')}", folder, model, context,
                    test.get("invocableName") if test.get("type") in ("bkm", "decisionService") else None,
                    result.get("name"), _value(computed) if computed is not None else None, result.get("errorResult") == "true",
                    len(test.findall("{*}resultNode")) > 1,
                )


def _value(node: Any) -> Any:
    if node.find("{*}list") is not None:
        return [_value(item) for item in node.find("{*}list").findall("{*}item")]
    if node.find("{*}component") is not None:
        return {part.get("name"): _value(part) for part in node.findall("{*}component")}
    value = node.find("{*}value")
    return None if value is None else _atom(value)


def _atom(value: Any) -> Any:
    if value.get(f"{XSI}nil") == "true":
        return None
    kind = (value.get(f"{XSI}type") or "xsd:string").split(":")[-1]
    text = "".join(value.itertext())
    if value.get(f"{XSI}type") is None and not text.strip():
        return None
    readers = {
        "decimal": Decimal, "double": Decimal, "integer": Decimal, "boolean": lambda t: t.strip() == "true", "date": parse_date,
        "time": parse_time, "dateTime": parse_datetime, "duration": parse_duration,
    }
    return readers[kind](text.strip()) if kind in readers else text


_models: dict[Path, DecisionModel] = {}


def model_of(case: Case) -> DecisionModel:
    """The compiled model of a case, with the other files of its folder to import."""
    path = case.folder / case.model
    if path not in _models:
        others = {etree.parse(str(other)).getroot().get("namespace"): other.read_bytes() for other in case.folder.glob("*.dmn")}
        _models[path] = compile_dmn(path.read_bytes(), imports=others)
    return _models[path]


def answer(case: Case) -> Any:
    """What the engine says; an error counts as null where the kit expects an error."""
    try:
        model = model_of(case)
        if case.invocable:
            value = model.invoke(case.invocable, case.context)
            several = isinstance(value, dict) and case.several
            return value.get(case.decision) if several else value
        return model.evaluate(case.decision, case.context)
    except DecisionError:
        if case.error_expected:
            return None
        raise


def agrees(actual: Any, expected: Any) -> bool:
    """Whether a value is the expected one: numbers to 8 places as the kit has it, everything else exactly."""
    if isinstance(expected, Decimal) and isinstance(actual, Decimal):
        return abs(actual - expected) <= Decimal("1e-8") * max(1, abs(expected))
    if kind_of(actual) != kind_of(expected):
        return False
    if isinstance(expected, list):
        return len(actual) == len(expected) and all(agrees(a, e) for a, e in zip(actual, expected, strict=True))
    if isinstance(expected, dict):
        return actual.keys() == expected.keys() and all(agrees(actual[key], value) for key, value in expected.items())
    if isinstance(expected, (bool, str)) or expected is None:
        return bool(actual == expected)
    return text_of(actual) == text_of(expected)
