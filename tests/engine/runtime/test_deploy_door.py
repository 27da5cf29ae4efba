"""What comes through the door of deploying: each bad file one clear refusal in bounded time, nothing kept; good ones for new cases only."""
from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from engine.kernel.errors import DeployRefused, Forbidden, NotFound, TooLarge
from engine.kernel.settings import ROOT
from engine.runtime.deploy_file import deploy_file
from engine.runtime.start_case import start_matter
from engine.runtime.sync_folders import sync_folders
from engine.storage.tables.content import content_pointer, definition, definition_current
from engine.storage.tables.runtime import instance, task
from tests.engine.runtime.walk import HANDLING, application, do, start_clue
from tests.town import Town

LONGEST = 8.0
CHAIN = (ROOT / "processes" / "approval" / "short_chain.bpmn").read_text(encoding="utf-8")
HANDLING_FORM = (ROOT / "forms" / "case_filing" / "clue_handling.json").read_text(encoding="utf-8")
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
OPEN = '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:gc="urn:guicheng:bpmn:1" targetNamespace="urn:x">'


def deploy(town: Town, filename: str, content: bytes | str, *, kind: str | None = None, who: str = "keeper", pack: str = "case_filing") -> Any:
    raw = content.encode() if isinstance(content, str) else content
    return deploy_file(town.app, actor=town.actor(who), pack=pack, filename=filename, content=raw, note="试", at=town.app.clock.now(), kind=kind)


def stored(town: Town) -> list[Any]:
    with town.app.db.connect() as connection:
        return [connection.scalar(select(func.count()).select_from(table)) for table in (definition, definition_current)] + [
            connection.scalar(select(content_pointer.c.generation))
        ]


def in_a_row(number: int) -> str:
    tasks = "".join(f'<bpmn:userTask id="t{n}" name="第{n}步" gc:role="handler"/>' for n in range(number))
    flows = "".join(f'<bpmn:sequenceFlow id="f{n}" sourceRef="{f"t{n - 1}" if n else "begin"}" targetRef="t{n}"/>' for n in range(number))
    return (
        f'{HEAD}{OPEN}<bpmn:process id="long_row" name="长" isExecutable="true"><bpmn:startEvent id="begin"/>{tasks}<bpmn:endEvent id="finish"/>{flows}'
        f'<bpmn:sequenceFlow id="last" sourceRef="t{number - 1}" targetRef="finish"/></bpmn:process></bpmn:definitions>'
    )


def calling(name: str, called: str) -> str:
    return (
        f'{HEAD}{OPEN}<bpmn:process id="{name}" name="互相调用" isExecutable="true"><bpmn:startEvent id="begin"/>'
        f'<bpmn:callActivity id="call" name="调用" calledElement="{called}"/><bpmn:endEvent id="finish"/>'
        '<bpmn:sequenceFlow id="one" sourceRef="begin" targetRef="call"/><bpmn:sequenceFlow id="two" sourceRef="call" targetRef="finish"/>'
        "</bpmn:process></bpmn:definitions>"
    )


def bomb() -> str:
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    return f'{HEAD}<!DOCTYPE x [<!ENTITY a0 "哈">{entities}]>{OPEN}<bpmn:process id="bomb" name="&a11;"/></bpmn:definitions>'


def yaml_bomb() -> str:
    lines = ["a0: &a0 [哈, 哈, 哈, 哈, 哈, 哈, 哈, 哈, 哈]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    return "title: 炸\nentries: []\n" + "\n".join(lines)


BAD: dict[str, tuple[str, Callable[[], bytes | str], str | None]] = {
    "broken xml": ("bad.bpmn", lambda: CHAIN[: len(CHAIN) // 2], None),
    "no xml at all": ("bad.bpmn", lambda: b"%PDF-1.7\n\x00\x01", None),
    "empty": ("bad.bpmn", lambda: b"", None),
    "another xml": ("bad.bpmn", lambda: f"{HEAD}<html><body/></html>", None),
    "external entity": ("bad.bpmn", lambda: f'{HEAD}<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>{OPEN}<bpmn:process id="bad" name="&e;"/></bpmn:definitions>', None),
    "billion laughs": ("bomb.bpmn", bomb, None),
    "deeply nested": ("bad.bpmn", lambda: HEAD + OPEN + "<bpmn:subProcess>" * 20_000 + "</bpmn:subProcess>" * 20_000 + "</bpmn:definitions>", None),
    "calls itself": ("again.bpmn", lambda: calling("again", "again"), None),
    "calls what is not there": ("again.bpmn", lambda: calling("again", "nowhere"), None),
    "json that is none": ("bad.json", lambda: '{"title": "表",', None),
    "json that is a list": ("bad.json", lambda: "[1, 2]", None),
    "json nested too deep": ("bad.json", lambda: '{"properties":' * 5000 + "1" + "}" * 5000, None),
    "form without fields": ("bad.json", lambda: '{"title": "空表"}', None),
    "form that computes in a circle": (
        "bad.json", lambda: '{"title": "圈", "properties": {"a": {"type": "number", "x-gc": {"compute": "b + 1"}}, '
                            '"b": {"type": "number", "x-gc": {"compute": "a + 1"}}}}', None,
    ),
    "form with a broken expression": ("bad.json", lambda: '{"title": "坏", "properties": {"a": {"type": "number", "x-gc": {"compute": "1 +"}}}}', None),
    "yaml that is none": ("bad.yaml", lambda: "title: [\n  - x", "dictionary"),
    "yaml bomb": ("bad.yaml", yaml_bomb, "dictionary"),
    "yaml in another encoding": ("bad.yaml", lambda: "title: 字典".encode("gb18030"), "dictionary"),
    "register without fields": ("bad.yaml", lambda: "title: 空台账\ncase: own\n", "register"),
    "broken decision": ("bad.dmn", lambda: f'{HEAD}<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/"><decision id="bad"', None),
    "decision that is a diagram": ("bad.dmn", lambda: CHAIN, None),
    "document with a broken body": ("bad.html", lambda: "---\ntitle: 坏\n---\n{% if %}", None),
    "document that includes a file": ("bad.html", lambda: "---\ntitle: 坏\n---\n{% include '/etc/passwd' %}", None),
    "manifest that says nothing": ("pack.yaml", lambda: "uses: []\n", None),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_in_one_sentence_and_nothing_is_kept(town: Town, name: str) -> None:
    filename, make, kind = BAD[name]
    content, before, began = make(), stored(town), time.monotonic()
    with pytest.raises((DeployRefused, TooLarge)) as refused:
        deploy(town, filename, content, kind=kind)
    assert time.monotonic() - began < LONGEST
    assert any("\u4e00" <= letter <= "\u9fff" for letter in refused.value.message), refused.value.message
    assert "/etc" not in refused.value.message and "Traceback" not in refused.value.message
    assert stored(town) == before


@pytest.mark.parametrize("filename", ["evil.py", "Makefile", "../../up.bpmn", "Große.bpmn", "x.yaml", "a.exe", ".bpmn", "UPPER.json"])
def test_a_file_of_another_kind_or_name_is_refused(town: Town, filename: str) -> None:
    before = stored(town)
    with pytest.raises(DeployRefused):
        deploy(town, filename, CHAIN)
    assert stored(town) == before


def test_a_file_above_the_limit_is_too_large(town: Town) -> None:
    with pytest.raises(TooLarge, match="2 MB"):
        deploy(town, "big.bpmn", CHAIN + " " * 2_000_001)


def test_two_processes_that_call_each_other_are_refused(town: Town) -> None:
    before = stored(town)
    text = (ROOT / "processes" / "case_filing" / "clue_handling.bpmn").read_text(encoding="utf-8")
    with pytest.raises(DeployRefused, match="递归|调回"):
        deploy(town, "short_chain.bpmn", calling("short_chain", "case_filing.clue_extension"), pack="approval")
    assert text and stored(town) == before


def test_six_hundred_steps_in_a_row_are_taken_or_refused_in_time_but_never_hang(town: Town) -> None:
    began = time.monotonic()
    with suppress(DeployRefused, TooLarge):
        made = deploy(town, "long_row.bpmn", in_a_row(600))
        assert len([node for node in made.meta["nodes"].values() if node["kind"] == "userTask"]) == 600
    assert time.monotonic() - began < 4 * LONGEST


def test_only_analysts_deploy_and_only_into_packs_that_are_there(town: Town) -> None:
    with pytest.raises(Forbidden):
        deploy(town, "short_chain.bpmn", CHAIN, who="officer", pack="approval")
    with pytest.raises(NotFound):
        deploy(town, "short_chain.bpmn", CHAIN, pack="no_such_pack")


def test_the_same_bytes_are_the_same_version(town: Town) -> None:
    first = deploy(town, "short_chain.bpmn", CHAIN.replace('name="', 'name="新', 1), pack="approval")
    again = deploy(town, "short_chain.bpmn", CHAIN.replace('name="', 'name="新', 1), pack="approval")
    assert (first.id, first.version) == (again.id, again.version)


def test_a_running_case_keeps_its_version_and_a_new_case_gets_the_new_one(town: Town) -> None:
    old = start_clue(town)
    made = deploy(town, "clue_handling.json", HANDLING_FORM.replace('"title": "', '"title": "新版', 1))
    new = start_clue(town)
    with town.app.db.connect() as connection:
        bundles = {row.case_id: town.app.library.bundle(row.bundle_id) for row in connection.execute(select(instance.c.case_id, instance.c.bundle_id))}
    name = "case_filing.clue_handling"
    assert bundles[new.case_id].member("form", name) == made.id
    assert bundles[old.case_id].member("form", name) != made.id
    for case_id in (old.case_id, new.case_id):
        do(town, "officer", "verify", "file", data=HANDLING, case_id=case_id)
        do(town, "officer", "draft", "submit", data=application(town), case_id=case_id)
    with town.app.db.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(task).where(task.c.node == "office_review", task.c.status == "open")) == 2


@pytest.fixture
def folders(town: Town, tmp_path: Path) -> Path:
    """The content of the checkout as a folder of this test's own, which the town now looks at."""
    root = tmp_path / "content"
    for room in ("processes", "forms"):
        shutil.copytree(ROOT / room, root / room)
    town.app.settings = replace(town.app.settings, content_root=root)
    return root


def test_what_folder_and_page_both_changed_waits_to_be_merged(town: Town, folders: Path) -> None:
    file = folders / "processes" / "approval" / "short_chain.bpmn"
    assert sync_folders(town.app, at=town.app.clock.now()).changed == []
    from_page = deploy(town, "short_chain.bpmn", CHAIN.replace('name="', 'name="页面', 1), pack="approval")
    file.write_text(CHAIN.replace('name="', 'name="文件夹', 1), encoding="utf-8")

    synced = sync_folders(town.app, at=town.app.clock.now())

    assert (synced.changed, synced.pending) == ([], ["process:approval.short_chain"])
    assert town.app.library.current("process", "approval.short_chain").id == from_page.id
    assert sync_folders(town.app, at=town.app.clock.now()).changed == []


def test_what_only_the_folder_changed_comes_into_force(town: Town, folders: Path) -> None:
    file = folders / "processes" / "approval" / "short_chain.bpmn"
    file.write_text(CHAIN.replace('name="', 'name="文件夹', 1), encoding="utf-8")
    assert sync_folders(town.app, at=town.app.clock.now()).changed == ["process:approval.short_chain"]
    assert "文件夹" in town.app.library.current("process", "approval.short_chain").content.decode()


def test_one_bad_file_in_the_folders_keeps_all_of_them_out(town: Town, folders: Path) -> None:
    before = stored(town)
    (folders / "processes" / "approval" / "short_chain.bpmn").write_text(CHAIN.replace('name="', 'name="文件夹', 1), encoding="utf-8")
    (folders / "forms" / "case_filing" / "clue_handling.json").write_text("{", encoding="utf-8")
    with pytest.raises(DeployRefused, match="clue_handling"):
        sync_folders(town.app, at=town.app.clock.now())
    assert stored(town) == before


def test_a_diagram_that_names_what_is_not_there_is_refused(town: Town) -> None:
    text = (ROOT / "processes/case_filing/clue_extension.bpmn").read_text(encoding="utf-8").replace('gc:handler="gc.extend_clock"', 'gc:handler="gc.no_such"')
    with pytest.raises(DeployRefused) as refused:
        deploy_file(
            town.app, actor=town.actor("keeper"), pack="case_filing", filename="clue_extension.bpmn", content=text.encode(), note="", at=town.app.clock.now(),
        )
    assert [f["message"] for f in refused.value.findings] == ["处理程序 gc.no_such 不存在，请改正名字，或先发布它。"]


FOOT = (ROOT / "processes/approval/documents/pieces/paper_seal.html").read_text(encoding="utf-8")


def test_a_changed_piece_is_in_the_next_document_and_not_in_one_that_is_drafted(town: Town) -> None:
    from engine.documents.compose import compose
    from engine.documents.draft import template_of
    from engine.documents.queries import snapshot_of
    from engine.storage.tables.documents import document

    def paper(name: str) -> tuple[Any, str]:
        with town.app.db.connect() as connection:
            row = connection.execute(select(document).where(document.c.title == "线索延长办理审批表").order_by(document.c.created_at.desc(), document.c.id.desc())).first()
        assert row is not None, name
        return row, compose(template_of(town.app, row), snapshot_of(row.data, number=None, today=None), check_code="", verify_url="").html

    def extend() -> None:
        done = start_clue(town)
        start_matter(
            town.app, actor=town.actor("officer"), case_id=done.case_id, process="case_filing.clue_extension", outcome="submit", opinion="", key=f"extend:{done.case_id}",
            data={"extension_days": 5, "reason": "涉及的单位较多，需要逐一核实。"}, at=town.app.clock.now(),
        )

    extend()
    first, before = paper("first")
    made = deploy(town, "paper_seal.html", FOOT.replace("<p>{{ unit.name }}", "<p>新落款{{ unit.name }}"), kind="piece", pack="approval")
    extend()
    second, after = paper("second")

    assert made.kind == "piece"
    assert first.id != second.id
    assert ("新落款" in after, "新落款" in before) == (True, False)
    with town.app.db.connect() as connection:
        again = connection.execute(select(document).where(document.c.id == first.id)).one()
    assert "新落款" not in compose(template_of(town.app, again), snapshot_of(again.data, number=None, today=None), check_code="", verify_url="").html


def test_a_piece_with_which_a_document_no_longer_holds_is_refused(town: Town, folders: Path) -> None:
    before = stored(town)
    with pytest.raises(DeployRefused, match="有 1 处不合要求"):
        deploy(town, "paper_seal.html", FOOT.replace('{{ anchor("seal") }}', ""), kind="piece", pack="approval")
    (folders / "processes/approval/documents/pieces/paper_seal.html").write_text(FOOT.replace('{{ anchor("seal") }}', ""), encoding="utf-8")
    with pytest.raises(DeployRefused, match="document:case_filing.clue_extension_approval"):
        sync_folders(town.app, at=town.app.clock.now())
    assert stored(town) == before
