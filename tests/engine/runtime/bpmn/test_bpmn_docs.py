"""Every row of docs/bpmn.md names a test that exists, and every element that a diagram can hold has a row."""
from __future__ import annotations

import re

from engine.kernel.settings import ROOT

PAGE = (ROOT / "docs" / "bpmn.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.split("## 别处画的图")[0].splitlines() if line.startswith("| ") and not line.startswith("| 元素")]


def test_every_row_names_a_test_that_exists() -> None:
    found = {
        name for file in (ROOT / "tests" / "engine").rglob("test_*.py") for name in re.findall(r"^def (test_\w+)", file.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert len(ROWS) > 60
    for row in ROWS:
        name = row.split("|")[3].strip().strip("`")
        assert name in found, row
        assert row.split("|")[2].strip().startswith(("原样", "改写", "拒绝", "停下", "存入", "是错误", "成为", "只作说明", "先在")), row


def test_every_refused_element_has_a_row() -> None:
    from engine.runtime.bpmn.lint_rules.unsupported import REMEDIES

    said = "".join(ROWS)
    for tag in ("complexGateway", "adHocSubProcess"):
        assert REMEDIES[tag][0] in said
