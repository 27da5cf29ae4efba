"""逐条要求: none of the rows is missing, nothing is said to be ours without a proof, page and documents say the same."""
from __future__ import annotations

import re

import pytest
from sqlalchemy import text

from engine.inspection.tree import Tree
from engine.kernel.settings import ROOT
from engine.web.flask_app import create_flask
from engine.web.requirement_rows import BY, document, markdown, topics
from tests.browser import Browser
from tests.town import Town

ROWS = [row for topic in topics() for row in topic.rows]


@pytest.fixture(scope="module")
def tree() -> Tree:
    return Tree(root=ROOT)


def test_every_row_of_both_lists_is_there_once_and_says_how(tree: Tree) -> None:
    listed = [row.id for row in ROWS]
    assert len(listed) == len(set(listed))
    known = {id for id in tree.requirements if id.startswith(("NFR-", "NFM-"))}
    assert len(known) == 182 and known <= set(listed)
    assert set(listed) <= set(tree.requirements)
    assert not [row.id for row in ROWS if row.by not in BY or len(row.how) < 3]


def test_ours_is_what_is_claimed_and_its_proof_carries_the_mark(tree: Tree) -> None:
    claimed = {id for rows in tree.claims.values() for id in rows}
    assert {row.id for row in ROWS if row.by == "us"} == {row.id for row in ROWS if row.id in claimed}
    marked = {(mark.id, mark.test.split("::")[0]) for mark in tree.marks}
    for row in ROWS:
        places = row.proof.split()
        assert places or row.by != "us", f"{row.id} 没有写证明"
        assert row.by != "us" or any((row.id, place) in marked for place in places), f"{row.id} 的证明里没有带它标记的测试"
        for place in [*places, *re.findall(r"(?:tests|bench|engine|docs)/[\w./*]+\w", row.how)]:
            assert any(ROOT.glob(place.rstrip("/"))), f"{row.id} 写的 {place} 不存在"


def test_the_documents_are_those_of_the_page() -> None:
    assert "\n".join(document()).strip() == (ROOT / "docs" / "nonfunctional.md").read_text().strip(), "python -m engine security rows > docs/nonfunctional.md"
    security = next(topic for topic in topics() if topic.name == "security")
    assert "\n".join(markdown(security)).strip() in (ROOT / "docs" / "security.md").read_text()


def test_the_page_counts_and_narrows(town: Town) -> None:
    with town.app.db.begin() as connection:
        connection.execute(text("UPDATE account SET rights = '[\"auditor\"]' WHERE login = 'keeper'"))
    guard = Browser(town.app, "keeper", flask=create_flask(town.app))
    page = guard.get("/admin/requirements").text
    assert all(f'id="{row.id}"' in page for row in ROWS)
    opened = guard.get("/admin/requirements?by=open").text
    assert [row.id for row in ROWS if f'id="{row.id}"' in opened] == [row.id for row in ROWS if row.by == "open"]
    found = guard.get("/admin/requirements?q=nfm-026").text
    assert 'id="NFM-026"' in found and 'id="NFM-025"' not in found
    assert "没有符合的要求" in guard.get("/admin/requirements?q=没有这样的词").text
