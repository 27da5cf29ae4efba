"""Every kind of content is changed on the page, keeps its versions and a record of who changed what why, and goes back to an earlier one."""
from __future__ import annotations

import io

import pytest
from sqlalchemy import text

from tests.browser import Browser
from tests.engine.runtime.walk import case_of, start_clue
from tests.town import Town

FILES = {
    ("process", "case_filing", "clue_handling"): ("clue_handling.bpmn", 'name="承办人核查处理"', 'name="承办人核查"', {}),
    ("form", "case_filing", "clue_handling"): ("clue_handling.json", '"title"', '"title" ', {}),
    ("document", "case_filing", "filing_approval"): ("filing_approval.html", "</", "</", {"html_kind": "document"}),
    ("register", "case_filing", "clue"): ("clue.yaml", "title:", "title: ", {"yaml_kind": "register"}),
    ("dictionary", "case_filing", "source"): ("source.yaml", "title:", "title: ", {"yaml_kind": "dictionary"}),
}


@pytest.mark.requirement("NFM-075")
@pytest.mark.requirement("NFM-002")
@pytest.mark.requirement("NFR-022")
def test_every_kind_is_published_without_a_programmer_kept_and_brought_back(town: Town) -> None:
    with town.app.db.begin() as connection:
        connection.execute(text("UPDATE account SET rights = '[\"analyst\"]' WHERE login = 'keeper'"))
    analyst, officer, library = Browser(town.app, "keeper"), Browser(town.app, "officer"), town.app.library
    decision = next(name for name in library.names("decision"))
    files = {**FILES, ("decision", *decision.split(".")): (f"{decision.split('.')[1]}.dmn", "</definitions>", "<!-- 改 --></definitions>", {})}
    for (kind, pack, name), (filename, old, new, more) in files.items():
        before = library.current(kind, f"{pack}.{name}")
        changed = before.content.decode().replace(old, new, 1) + "\n"
        sent = {"pack": pack, "note": "试着改一处", "file": (io.BytesIO(changed.encode()), filename), **more}
        assert analyst.post("/processes/deploy", sent, content_type="multipart/form-data").status_code == 303, (kind, name)
        after = library.current(kind, f"{pack}.{name}")
        assert after.version == before.version + 1 and after.content.decode() == changed
    started = start_clue(town)
    for kind, pack, name in files:
        address, back = f"/versions/{kind}/{pack}/{name}", {"version": 1, "reason": "新的一版不合用"}
        assert officer.post(address, back).status_code == 403
        assert analyst.post(address, {**back, "reason": " "}).status_code == 422
        assert analyst.post(address, {**back, "version": 9}).status_code == 404
        assert analyst.post(address, back).status_code == 303
        assert analyst.post(address, back).status_code == 409
        page = analyst.get(address).text
        assert library.current(kind, f"{pack}.{name}").version == 1
        assert "新的一版不合用" in page and "试着改一处" in page and "第 2 版改为第 1 版" in page and "陆知微" in page
    with town.app.db.connect() as connection:
        held = connection.scalar(text("SELECT members ->> 'form:case_filing.clue_handling' FROM bundle b JOIN instance i ON i.bundle_id = b.id WHERE i.case_id = :id"), {"id": started.case_id})
        versions = dict(connection.execute(text("SELECT id::text, version FROM definition")).all())
        assert versions[str(held)] == 2 and case_of(town, started.case_id)["id"]  # the case that began under the second version keeps it
        assert connection.scalar(text("SELECT count(*) FROM audit WHERE action = 'content.return'")) == len(files)
