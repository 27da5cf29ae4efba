"""The gravest acts of administrators: one asks, another approves, nobody both; what broke off can be taken up; all of it on record."""
from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from engine.runtime import grave_acts
from engine.storage.tables.organisation import account, audit
from engine.storage.tables.proof import grave_act, key_round
from engine.web.flask_app import create_flask
from tests.browser import Browser
from tests.town import Town

NOWHERE = "00000000-0000-7000-8000-000000000000"


def test_new_keys_and_the_highest_rights_wait_for_a_second_person(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    app = replace(town.app, settings=replace(town.app.settings, two_people=True))
    with app.db.begin() as connection:
        for login, rights in (("keeper", ["security"]), ("legal_staff", ["auditor"]), ("joint_head", ["admin"])):
            connection.execute(account.update().where(account.c.login == login).values(rights=rights))
    flask = create_flask(app)
    security, auditor, admin, officer = (Browser(app, login, flask=flask) for login in ("keeper", "legal_staff", "joint_head", "officer"))

    def rows() -> list[Any]:
        with app.db.connect() as connection:
            return list(connection.execute(select(grave_act).order_by(grave_act.c.asked_at, grave_act.c.id)))

    def act(browser: Browser, what: str, **more: str) -> int:
        return browser.post(f"/admin/security/grave/{rows()[-1].id}/{what}", more).status_code

    assert security.post("/admin/security/rounds", {"kind": "data"}).status_code == 422 and rows() == []
    assert security.post("/admin/security/rounds", {"kind": "data", "reason": "按年更换"}).status_code == 303
    assert security.post("/admin/security/rounds", {"kind": "data", "reason": "按年更换"}).status_code == 409
    assert [act(security, "approve"), act(admin, "approve"), act(officer, "approve"), act(auditor, "refuse"), act(auditor, "again")] == [403, 403, 403, 422, 403]
    assert "等另一人核准" in auditor.get("/admin/security").text and app.keys.versions()["data"] == [1]
    assert act(auditor, "approve", words="同意") == 303 and app.keys.versions()["data"] == [1, 2]
    assert [act(auditor, "approve"), act(auditor, "refuse", words="晚了"), act(security, "withdraw")] == [404, 404, 404]
    with app.db.connect() as connection:
        assert connection.scalar(select(key_round.c.id)) == rows()[0].id
    person = town.people["officer"]
    page = f"/admin/organisation/people/{person}/rights"
    assert security.post(page, {"rights": "see_all_cases", "reason": "督察", "key": "grave-rights-1"}).status_code == 303
    assert security.post(page, {"rights": ["auditor", "admin"], "reason": "督察", "key": "grave-rights-2"}).status_code == 422
    assert _rights(app, "officer") == [] and act(auditor, "refuse", words="没有依据") == 303 and _rights(app, "officer") == []
    assert security.post(page, {"rights": "see_all_cases", "reason": "督察", "key": "grave-rights-3"}).status_code == 303
    monkeypatch.setitem(grave_acts.DOING, "rights", _break)
    with pytest.raises(SystemExit):
        act(auditor, "approve")
    monkeypatch.undo()
    assert rows()[-1].state == "approved" and act(security, "again") == 303 and _rights(app, "officer") == ["see_all_cases"] and rows()[-1].state == "done"
    assert security.post(page, {"reason": "用完", "key": "grave-rights-4"}).status_code == 303 and _rights(app, "officer") == []  # taking away waits for nobody
    assert security.post(f"/admin/security/grave/{NOWHERE}/approve").status_code == auditor.post(f"/admin/security/grave/{NOWHERE}/approve").status_code == 404
    with app.db.connect() as connection:
        told = list(connection.scalars(select(audit.c.action).where(audit.c.action.startswith("grave.")).order_by(audit.c.chain, audit.c.seq)))
    assert sorted(set(told)) == ["grave.approve", "grave.ask", "grave.done", "grave.refuse"] and len(told) == 8


def _break(*given: Any) -> None:
    raise SystemExit("the process ended here")


def _rights(app: Any, login: str) -> list[str]:
    with app.db.connect() as connection:
        return list(connection.scalar(select(account.c.rights).where(account.c.login == login)) or [])
