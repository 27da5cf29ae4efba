"""The public DMN compatibility kit, levels 2 and 3, whole but for the one folder that calls Java (see ``dmn_tck/NOTICE.md``)."""
from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from engine.decisions.lines import answer as answer_line
from engine.decisions.lines import json_text
from engine.decisions.normal_values import from_json, to_json
from tests.engine.decisions import kit

HERE = Path(__file__).parent / "dmn_tck"
LEVEL_2 = [case for folder in sorted((HERE / "level-2").iterdir()) for case in kit.cases(folder)]
LEVEL_3 = sorted((HERE / "level-3").iterdir())


@pytest.mark.parametrize("case", LEVEL_2, ids=lambda case: case.key)
def test_every_case_of_level_2_gives_the_expected_value(case: kit.Case) -> None:
    value = kit.answer(case)

    assert kit.agrees(value, case.expected), f"{value!r}, expected {case.expected!r}"


@pytest.mark.parametrize("folder", LEVEL_3, ids=lambda folder: folder.name)
def test_every_case_of_a_level_3_folder_gives_the_expected_value(folder: Path) -> None:
    wrong = [
        f"{case.key}: {value!r}, expected {case.expected!r}"
        for case in kit.cases(folder) for value in [kit.answer(case)] if not kit.agrees(value, case.expected)
    ]

    assert not wrong


def test_the_kit_is_complete() -> None:
    assert len(LEVEL_2) == 126
    assert len(LEVEL_3) == 117
    assert sum(1 for folder in LEVEL_3 for _ in kit.cases(folder)) == 3351


@pytest.mark.parametrize("folder", [*(HERE / "level-2").iterdir()] + [HERE / "level-3" / name for name in (
    "0004-lending", "0007-date-time", "0085-decision-services", "0087-chapter-11-example", "1117-feel-date-and-time-function",
    "1120-feel-duration-function", "1116-feel-time-function", "0086-import", "0089-nested-inputdata-imports", "0034-drg-scopes")],
    ids=lambda folder: folder.name)
def test_the_same_values_come_out_as_json_lines(folder: Path) -> None:
    wrong = []
    for case in kit.cases(folder):
        subject = {"invocable": case.invocable} if case.invocable else {"decision": case.decision}
        line = json_text({**subject, "context": {key: to_json(value) for key, value in case.context.items()}})
        reply = json.loads(answer_line(kit.model_of(case), line.encode()), parse_float=Decimal, parse_int=Decimal)
        value = from_json(reply.get("value"))
        if isinstance(value, dict) and case.invocable and case.several:
            value = value.get(case.decision)
        if not kit.agrees(value, case.expected):
            wrong.append(f"{case.key}: {reply!r}, expected {case.expected!r}")

    assert not wrong
