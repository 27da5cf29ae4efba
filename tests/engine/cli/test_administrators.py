"""Production begins with nobody: three administrators get passwords of chance, once, and change them before anything else."""
from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from engine.access.passwords import policy_error
from engine.kernel.errors import Conflict, Invalid
from engine.runtime.organising.first_administrators import appoint
from engine.storage.tables.organisation import account
from engine.web.flask_app import create_flask
from tests.engine.web.site import Site

PEOPLE = {"admin": ("许望舒", "xitong"), "security": ("阳知远", "anquan"), "auditor": ("晏如璋", "shenji")}


def test_an_empty_platform_gets_its_three_administrators_once(app: Any) -> None:
    with app.db.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(account)) == 0  # no account comes with the platform
    with pytest.raises(Invalid):
        appoint(app, unit_name="市局", bureau="market_regulation", people={"admin": ("甲", "a")}, at=app.clock.now())
    made = appoint(app, unit_name="上海市示范局", bureau="market_regulation", people=PEOPLE, at=app.clock.now())
    assert len({one.password for one in made}) == 3 and all(policy_error(one.password, login=one.login, name=one.name) is None for one in made)
    with pytest.raises(Conflict, match="已经有账号"):
        appoint(app, unit_name="上海市示范局", bureau="market_regulation", people=PEOPLE, at=app.clock.now())
    site = Site.__new__(Site)
    site.app, site.flask = app, create_flask(app)
    for one in made:
        assert site.sign_in(one.login, one.password).headers["Location"].endswith("/me/password")
        assert site.get("/admin/organisation").headers["Location"].endswith("/me/password")
        new = "Yan-Hai-Lv-Shan-2027"
        assert site.post("/me/password", page="/me/password", old=one.password, new=new, again=new).status_code == 303
        assert site.get("/admin/organisation").status_code == 200
    assert "上海市示范局" in site.get("/admin/organisation").text
