"""A district bureau with a legal section that keeps the list of powers."""
from __future__ import annotations

from typing import Any

import pytest

from engine.access.actors import find_actor_by_login
from engine.access.staffing import create_account, create_person, create_unit, give_post
from tests.packs.enforcement_base.outside import outside
from tests.packs.walk import SINCE, Walker

__all__ = ["outside"]
LEGAL = (("legal_staff", "江映雪", "法制审核人员"), ("legal_head", "方砚秋", "法制机构负责人"))


@pytest.fixture
def bureau_walk(walk: Walker) -> Walker:
    app: Any = walk.app
    with app.db.begin() as connection:
        section = create_unit(
            connection, parent_id=walk.bureau.units["YP"], bureau="market_regulation", kind="legal_section", code="YP-FZ", name="法制科", short_name="法制科", at=walk.at,
        )
        for login, name, title in LEGAL:
            id = create_person(connection, name=name, pinyin=login, at=walk.at)
            give_post(connection, person_id=id, unit_id=section, code=login, title=title, valid_from=SINCE, main=True)
            create_account(connection, person_id=id, login=login, password_hash="-", at=walk.at, must_change=False)
    with app.db.connect() as connection:
        for login, _, _ in LEGAL:
            found = find_actor_by_login(connection, login=login, on=app.clock.today())
            assert found is not None
            walk.bureau.actors[login] = found
    return walk
