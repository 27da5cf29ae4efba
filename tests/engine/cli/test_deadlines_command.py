from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from engine.cli.deadlines import command

WORKING = {"amount": 15, "unit": "working_day"}
PARAMETERS = """
handling:
  title: 办理期限
  unit: working_day
  values:
    - {value: 7, from: 2019-04-01, until: 2021-07-14, law: 旧规定}
    - {value: 15, from: 2021-07-15, law: 新规定}
fine: {title: 罚款, unit: CNY, values: [{value: 12.5, from: 2019-04-01, law: 规定}]}
"""


def ask(tmp_path: Path, *lines: Any) -> list[dict[str, Any]]:
    (tmp_path / "processes/sample").mkdir(parents=True, exist_ok=True)
    (tmp_path / "processes/sample/pack.yaml").write_text("title: 样例\n")
    (tmp_path / "processes/sample/parameters.yaml").write_text(PARAMETERS)
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    result = CliRunner().invoke(command, ["--root", str(tmp_path)], input=text)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.output.splitlines()]


def test_each_line_gets_one_answer_in_order(tmp_path: Path) -> None:
    first, second, third = ask(
        tmp_path,
        {"clock": WORKING, "start": "2026-03-02", "events": [], "at": "2026-03-20"},
        {"clock": WORKING, "start": "2026-03-02", "events": [{"type": "suspend", "on": "2026-03-10"}], "at": "2026-03-20"},
        {
            "clock": {"amount": 90, "unit": "day", "count_first_day": False, "roll_rest_day": True},
            "start": "2026-03-02",
            "at": "2026-07-10",
        },
    )
    assert first["due"] == "2026-03-23" and first["state"] == "running" and first["steps"][0].startswith("起算日 2026-03-02")
    assert (second["due"], second["state"]) == (None, "suspended")
    assert (third["due"], third["state"]) == ("2026-06-01", "expired")


def test_a_clock_is_named_by_its_parameter_as_in_force_at_the_start(tmp_path: Path) -> None:
    new, old, none = ask(
        tmp_path,
        {"clock": "sample.handling", "start": "2026-03-02", "events": [{"type": "extend", "amount": 5, "unit": "day"}], "at": "2026-03-20"},
        {"clock": "handling", "start": "2021-07-05"},
        {"clock": "handling", "start": "2018-07-05"},
    )
    assert new["due"] == "2026-03-30" and "新规定" in new["steps"][-1]
    assert old["due"] == "2021-07-14" and "旧规定" in old["steps"][-1]
    assert "2018-07-05 没有生效的值" in none["error"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("not json", "JSON"),
        ("[1]", "对象"),
        ({"clock": WORKING}, "起算日"),
        ({"clock": "nothing", "start": "2026-03-02"}, "nothing"),
        ({"clock": "fine", "start": "2026-03-02"}, "不是期限"),
        ({"clock": {"amount": 15}, "start": "2026-03-02"}, "amount"),
        ({"clock": {"amount": "15", "unit": "day"}, "start": "2026-03-02"}, "整数"),
        ({"clock": {"amount": 15, "unit": "week"}, "start": "2026-03-02"}, "单位"),
        ({"clock": {**WORKING, "roll_rest_day": "no"}, "start": "2026-03-02"}, "true"),
        ({"clock": {**WORKING, "colour": 1}, "start": "2026-03-02"}, "colour"),
        ({"clock": WORKING, "start": "2026-02-30"}, "日期"),
        ({"clock": WORKING, "start": 20260302}, "日期"),
        ({"clock": WORKING, "start": "2026-03-02", "events": {}}, "列表"),
        ({"clock": WORKING, "start": "2026-03-02", "events": [{"type": "stop"}]}, "suspend"),
        ({"clock": WORKING, "start": "2026-03-02", "events": [{"type": "exclude", "from": "2026-03-04"}]}, "until"),
        ({"clock": WORKING, "start": "2026-03-02", "events": [{"type": "suspend", "on": "2026-04-01"}], "at": "2026-03-20"}, "还没有发生"),
        ({"clock": WORKING, "start": "2026-12-25", "at": "2026-12-31"}, "2027"),
        ({"clock": WORKING, "start": "2003-01-01"}, "2003"),
        ({"clock": {"amount": 30, "unit": "year"}, "start": "9990-01-01"}, ""),
    ],
)
def test_wrong_input_is_answered_with_the_rule_it_breaks(tmp_path: Path, line: Any, words: str) -> None:
    (answer,) = ask(tmp_path, line)
    assert list(answer) == ["error"] and words in answer["error"]
