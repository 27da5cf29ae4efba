"""全息图: an officer's page for themselves, for whoever is above them and for the administrators; acts only on cases that the reader may see."""
from __future__ import annotations

import pytest

from engine.access.certificates import give_certificate
from engine.runtime.queries.officer import figures
from engine.storage.tables.organisation import account
from engine.storage.tables.runtime import task
from engine.web.flask_app import create_flask
from tests.browser import Browser
from tests.engine.runtime.walk import HANDLING, application, do, send_back, start_clue
from tests.town import Town


@pytest.mark.requirement("PEN-1328")
def test_an_officers_page_shows_work_figures_and_past_acts_in_the_readers_scope(town: Town) -> None:
    started = start_clue(town)
    do(town, "officer", "verify", "file", data=HANDLING)
    do(town, "officer", "draft", "submit", data=application(town))
    send_back(town, "head", "office_review", "draft")
    flask, path, today = create_flask(town.app), f"/officers/{town.people['officer']}", town.app.clock.today()
    with town.app.db.begin() as connection:
        connection.execute(account.update().where(account.c.login == "other_officer").values(rights=["auditor"]))
        give_certificate(connection, person_id=town.people["officer"], number="督0001", kind="inspector", valid_from=today, at=town.app.clock.now())
        connection.execute(task.update().where(task.c.status == "done").values(due_on=today))
        found = figures(connection, person_id=town.people["officer"], year=today.year)
    assert (found.opened, found.closed, found.steps, found.acts, found.on_time, found.days) == (1, 0, 3, 3, 100.0, None)

    def page(login: str, asked: str = "") -> str:
        answer = Browser(town.app, login, flask=flask).get(path + asked)
        return answer.get_data(as_text=True) if answer.status_code == 200 else str(answer.status_code)

    for login in ("officer", "head", "staff", "chief"):
        shown = page(login)
        assert "督察证" in shown and "督0001" in shown and "手上有待办 <b>1</b> 件" in shown and "销售超过保质期的食品" in shown, login
        assert f"/cases/{started.case_id}" in shown and "共 3 次" in shown and "100.0%" in shown
    auditor = page("other_officer")
    assert "手上有待办 <b>1</b> 件" in auditor and f"/cases/{started.case_id}" not in auditor and "没有他的办理记录" in auditor
    assert [page(login) for login in ("officer_two", "other_head")] == ["404"] * 2
    assert "没有他的办理记录" in page("head", "?from=2026-11-21") and "共 3 次" in page("head", "?from=2026-11-20&to=2026-11-20") and page("head", "?from=x") == "422"
    assert path in Browser(town.app, "officer", flask=flask).get("/me").get_data(as_text=True)
