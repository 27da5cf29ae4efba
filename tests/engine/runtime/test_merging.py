"""Folder and page changed the same file: three ways are told apart, one is chosen, and the other stays on record."""
from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from engine.kernel.errors import Conflict, Forbidden, NotFound
from engine.kernel.ids import new_id
from engine.packs.store import NewVersion, leave_pending, store_version
from engine.runtime.check_content import check_content
from engine.runtime.differences import both_changed, compare
from engine.runtime.merge_pending import choose_version, pending_of
from engine.storage.tables.content import definition_current
from tests.browser import Browser
from tests.engine.runtime.test_migration import SOURCE, deploy
from tests.town import Town

NAME = "case_filing.clue_handling"
PAGE = SOURCE.replace('name="承办人核查处理" gc:form="clue_handling"', 'name="承办人核查" gc:form="clue_handling" gc:due="3 working_day"')
FOLDER = SOURCE.replace('name="承办人核查处理"', 'name="核查处理"').replace('name="提醒承办人"', 'name="催办"')


@pytest.fixture
def merging(town: Town) -> Town:
    """The page changed the diagram, then the folder did."""
    deploy(town, PAGE)
    with town.app.db.begin() as connection:
        new: NewVersion = check_content("process", NAME, FOLDER.encode(), lookup=lambda k, n: _content(town, k, n), compiled={})
        version = store_version(connection, new, source="folder", by=None, at=town.app.clock.now())
        leave_pending(connection, version, folder_hash=version.hash)
    town.app.library.refresh(now=True)
    return town


def _content(town: Town, kind: str, name: str) -> bytes | None:
    found = town.app.library.find_current(kind, name)
    return found.content if found else None


def found(town: Town) -> Any:
    with town.app.db.connect() as connection:
        return pending_of(connection, kind="process", name=NAME)


def choose(town: Town, which: str, *, theirs: Any = None, who: str = "keeper") -> Any:
    return choose_version(
        town.app, actor=town.actor(who), kind="process", name=NAME, which=which, theirs_id=theirs or found(town)[2].id, at=town.app.clock.now(),
    )


def test_each_side_is_told_element_by_element_and_what_both_changed(merging: Town) -> None:
    base, ours, theirs = found(merging)
    mine, other = compare(base, ours), compare(base, theirs)
    assert [(change.id, change.how) for change in mine.changes] == [("verify", "changed")]
    assert ("办理期限", "（没有）", "3 working_day") in mine.changes[0].details
    assert {change.id for change in other.changes} == {"verify", "warn_handler"} and both_changed(mine, other) == ["verify"]
    assert any(mark == "+" and "3 working_day" in text for mark, text in mine.lines) and compare(base, base).lines == []
    page = Browser(merging.app, "keeper")
    assert f"/versions/process/{NAME.replace('.', '/')}/merge" in page.get("/versions").text
    shown = page.get("/versions/process/case_filing/clue_handling/merge").text
    for words in ("页面上改的（在用）", "文件夹里改的", "两边都改了", "有 1 处两边都改了", "用文件夹里改的"):
        assert words in shown
    assert "办理期限" in page.get("/versions/process/case_filing/clue_handling?from=1&to=2").text
    assert page.get("/versions/process/case_filing/clue_handling?from=1&to=99").status_code == 404
    answer = page.client.post("/versions/process/case_filing/clue_handling/merge", data={"csrf": page.csrf, "which": "ours", "theirs": str(theirs.id)})
    assert answer.status_code == 303 and found(merging) is None
    assert page.get("/versions/process/case_filing/clue_handling/merge").status_code == 404
    assert "用文件夹里改的" not in Browser(merging.app, "officer").get("/versions/process/case_filing/clue_handling").text
    form = merging.app.library.current("form", "case_filing.clue_handling")
    changed = replace(form, content=form.content.replace(b"findings", b"found_out"))
    assert {(change.id, change.how) for change in compare(form, changed).changes} >= {("findings", "removed"), ("found_out", "added")}


def test_one_side_is_chosen_and_nothing_waits_any_more(merging: Town) -> None:
    with pytest.raises(Forbidden):
        choose(merging, "theirs", who="officer")
    with pytest.raises(Conflict, match="又变了"):
        choose(merging, "theirs", theirs=new_id())
    assert found(merging) is not None
    choose(merging, "theirs")
    assert merging.app.library.current("process", NAME).content == FOLDER.encode() and found(merging) is None
    with pytest.raises(NotFound):
        choose(merging, "ours", theirs=new_id())


def test_a_merged_file_from_the_page_ends_the_waiting(merging: Town) -> None:
    deploy(merging, PAGE.replace('name="提醒承办人"', 'name="催办"'))
    assert found(merging) is None
    with merging.app.db.connect() as connection:
        mine = (definition_current.c.name == NAME) & (definition_current.c.kind == "process")
        assert connection.scalars(select(definition_current.c.pending_definition_id).where(mine)).all() == [None]
