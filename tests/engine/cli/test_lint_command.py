from __future__ import annotations

import json

from click.testing import CliRunner

from engine.cli.lint import command
from engine.kernel.settings import ROOT
from tests.engine.runtime.bpmn.drafts import draft, line


def test_lint_says_that_a_diagram_of_a_pack_is_fine() -> None:
    result = CliRunner().invoke(command, [str(ROOT / "processes" / "approval" / "chain.bpmn")])
    assert result.exit_code == 0, result.output
    assert result.output.startswith("chain：")


def test_lint_lists_what_is_wrong_and_ends_with_1(tmp_path) -> None:
    file = tmp_path / "p.bpmn"
    file.write_bytes(draft('<startEvent id="s"/><serviceTask id="t" name="发送"/>' + line("s", "t")))
    result = CliRunner().invoke(command, [str(file), "--json"])
    assert result.exit_code == 1
    found = json.loads(result.output)[0]["findings"]
    assert ("handler", "t") in [(item["rule"], item["element"]) for item in found]


def test_lint_of_something_else_says_so(tmp_path) -> None:
    file = tmp_path / "p.bpmn"
    file.write_text("hello")
    result = CliRunner().invoke(command, [str(file)])
    assert result.exit_code == 1
    assert "不是完好的 XML" in result.output
