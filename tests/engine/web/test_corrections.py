"""A draft is corrected on its page by whoever has the step, and the change is on record."""
from __future__ import annotations

from sqlalchemy import select

from engine.storage.tables.documents import document
from engine.storage.tables.organisation import audit
from tests.browser import Browser
from tests.engine.runtime.walk import HANDLING, application, do, start_clue
from tests.town import Town

FETCH = {"X-Guicheng-Fetch": "1"}


def test_whoever_has_the_step_corrects_the_draft_and_nobody_else(town: Town) -> None:
    start_clue(town)
    do(town, "officer", "verify", "file", data=HANDLING)
    do(town, "officer", "draft", "submit", data=application(town))
    town.app.jobs.run_due(town.app)
    with town.app.db.connect() as connection:
        paper = connection.execute(select(document)).mappings().one()
    address = f"/documents/{paper['id']}"
    head, officer = Browser(town.app, "head"), Browser(town.app, "officer")

    assert "盖章前还能改的段落" in head.client.get(address).text
    assert "盖章前还能改的段落" not in officer.client.get(address).text
    sent = {"block": "summary", "text": "核查发现待售糕点 20 袋超过保质期。", "rev": str(paper["rev"])}
    assert officer.post(f"{address}/correct", sent, headers=FETCH).status_code == 404
    assert head.post(f"{address}/correct", sent, headers=FETCH).status_code in (200, 302, 303)
    assert "糕点 20 袋" in head.client.get(address).text
    with town.app.db.connect() as connection:
        assert connection.scalar(select(audit.c.actor_name).where(audit.c.action == "document.correct")) == "周启衡"
