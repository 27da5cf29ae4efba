"""The checkout is sound: every rule holds, and each rule finds the fault it is there for."""
from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from engine.inspection.check import all_rules, check
from engine.inspection.describe import describe_pack
from engine.inspection.load import load_tree
from engine.inspection.scaffold import new_pack
from engine.inspection.trace import by_system, trace
from engine.kernel.errors import Conflict, Invalid
from engine.kernel.settings import ROOT


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The content of this checkout, to be spoiled."""
    for room in ("processes", "forms", "handlers", "integrations", "devices", "requirements"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "tests" / "packs", tmp_path / "tests" / "packs", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "engine").mkdir()
    return tmp_path


def spoil(root: Path, file: str, old: str, new: str) -> None:
    path = root / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def messages(root: Path, rule: str) -> list[str]:
    return [f.message for f in check(load_tree(root)) if f.rule == rule]


def test_every_rule_holds_for_this_checkout() -> None:
    assert [str(finding) for finding in check(load_tree())] == []
    assert len(all_rules()) >= 7


def test_a_missing_form_is_found(copy: Path) -> None:
    (copy / "forms/case_filing/clue_handling.json").unlink()
    assert any("case_filing.clue_handling 不存在" in m for m in messages(copy, "references"))


def test_a_pack_that_is_not_in_uses_is_found(copy: Path) -> None:
    spoil(copy, "processes/case_filing/pack.yaml", "uses: [approval, ", "uses: [")
    assert any("写进 pack.yaml 的 uses" in m for m in messages(copy, "references"))


def test_an_unknown_handler_is_found(copy: Path) -> None:
    spoil(copy, "processes/borrow_umbrella/borrow_umbrella.bpmn", 'gc:handler="', 'gc:handler="no_such_')
    assert any("没有安装" in m for m in messages(copy, "service_tasks"))


def test_an_unknown_or_untested_requirement_is_found(copy: Path) -> None:
    spoil(copy, "processes/borrow_umbrella/pack.yaml", "connects:", "requirements: {CMD-999: x, CMD-001: processes}\nconnects:")
    found = messages(copy, "requirements")
    assert any("不认识需求编号 CMD-999" in m for m in found)
    assert any("CMD-001 认领了，但没有带 requirement 标记的测试" in m for m in found)


def test_python_among_content_is_found(copy: Path) -> None:
    (copy / "forms/approval/helper.py").write_text("", encoding="utf-8")
    assert any("不放 Python" in m for m in messages(copy, "rooms"))


def test_a_file_nobody_uses_is_found(copy: Path) -> None:
    shutil.copy(copy / "forms/approval/review.json", copy / "forms/approval/left_over.json")
    assert any("approval.left_over 没有谁用到" in m for m in messages(copy, "orphans"))


def test_a_broken_diagram_is_found(copy: Path) -> None:
    spoil(copy, "processes/approval/short_chain.bpmn", "</bpmn:process>", "")
    assert [f for f in check(load_tree(copy)) if f.place.startswith("processes/approval/short_chain.bpmn")]


def test_a_new_pack_is_green_at_once(copy: Path) -> None:
    new_pack(copy, name="sample_box", title="样品箱")
    shutil.copytree(ROOT / "handlers", copy / "unused")
    findings = [f for f in check(load_tree(copy)) if "sample_box" in f.place and f.rule != "service_tasks"]
    assert findings == []
    with pytest.raises(Conflict):
        new_pack(copy, name="sample_box", title="样品箱")
    with pytest.raises(Invalid):
        new_pack(copy, name="Sample-Box", title="样品箱")


def test_trace_counts_known_claimed_and_proved() -> None:
    tree = load_tree()
    found = trace(tree)
    assert len(found.known) == 1965
    assert set(found.proved) <= set(found.claimed) <= set(found.known)
    assert by_system(tree, found)[-1][1] == 1965


def test_a_row_is_proved_only_by_a_recorded_pass(copy: Path) -> None:
    (copy / "requirements/last_run.json").write_text("{}", encoding="utf-8")
    assert trace(load_tree(copy)).proved == []


def test_show_names_steps_and_rows() -> None:
    text = "\n".join(describe_pack(load_tree(), "case_filing"))
    assert "verify" in text and "PEN-1170" in text


def test_a_clock_that_nobody_declared_and_a_block_of_nothing_are_found(copy: Path) -> None:
    spoil(copy, "processes/case_filing/clue_handling.bpmn", 'value="clue_handling"', 'value="clue_handlin"')
    spoil(copy, "processes/case_filing/parameters.yaml", "    - {when: 0 day before,", "    - {when: end, block: [case_filing.clue_handling/no_such_step]}\n    - {when: 0 day before,")
    found = messages(copy, "clocks")
    assert any("clue_handlin 没有" in m for m in found) and any("no_such_step 不在图上" in m for m in found)


def test_a_long_text_that_would_be_a_fact_is_found(copy: Path) -> None:
    spoil(copy, "forms/serving_documents/reply_of_party.json", '"widget": "textarea", ', '"widget": "textarea", "fact": "statement", ')
    assert any("statement" in m and "写长了办不下去" in m for m in messages(copy, "facts"))
