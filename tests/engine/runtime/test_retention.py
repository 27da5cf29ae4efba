from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from engine.access.anchors import check_trail
from engine.kernel.errors import Forbidden, Invalid, NotFound
from engine.runtime import retention
from engine.storage.tables.cases import case_file
from engine.storage.tables.proof import destruction
from tests.engine.runtime.walk import start_clue
from tests.town import Town


def closed(town: Town, years: int) -> Any:
    """A clue that was closed so many years ago."""
    id = start_clue(town).case_id
    with town.app.db.begin() as connection:
        connection.execute(case_file.update().where(case_file.c.id == id).values(closed_at=town.app.clock.now() - timedelta(days=366 * years)))
    return id


def test_what_is_over_its_time_is_proposed_by_one_destroyed_by_another_and_stays_in_the_trail(town: Town) -> None:
    app, at = town.app, town.app.clock.now()
    old, young = closed(town, 11), closed(town, 3)
    start_clue(town)
    security, auditor = (replace(town.actor(login), rights=frozenset({"security", "auditor"})) for login in ("keeper", "chief"))
    file = app.blobs.put(b"evidence")
    with app.db.begin() as connection:
        connection.execute(text("INSERT INTO attachment (id, sm3, case_id, file_name, content_type, size, uploaded_by, uploaded_at) VALUES (gen_random_uuid(), :f, :c, 'a', 'text/plain', 8, :p, :at)"),
                           {"f": file, "c": old, "p": town.people["officer"], "at": at})
        assert retention.due_cases(connection, on=at.date()) == []
    with pytest.raises(Forbidden):
        retention.add_rule(app, actor=town.actor("officer"), subject="*", years=10, forever=False, law="x", valid_from=date(2020, 1, 1), at=at)
    with pytest.raises(Invalid):
        retention.add_rule(app, actor=security, subject="*", years=0, forever=False, law="x", valid_from=date(2020, 1, 1), at=at)
    retention.add_rule(app, actor=security, subject="*", years=10, forever=False, law="《机关档案管理规定》", valid_from=date(2020, 1, 1), at=at)
    with app.db.connect() as connection:
        assert [one.case_id for one in retention.due_cases(connection, on=at.date())] == [old]
    assert retention.propose(app, actor=security, case_ids=[old, young], at=at) == 1
    with app.db.connect() as connection:
        id = connection.scalar(select(destruction.c.id))
        assert retention.due_cases(connection, on=at.date()) == []
    with pytest.raises(Forbidden):
        retention.decide(app, actor=security, destruction_id=id, destroy=True, reason="到期", at=at)
    with pytest.raises(Invalid):
        retention.decide(app, actor=auditor, destruction_id=id, destroy=True, reason="", at=at)
    removed = retention.decide(app, actor=auditor, destruction_id=id, destroy=True, reason="鉴定：无继续保存价值", at=at)
    assert removed["files"] == [file] and removed["submissions"] == 1 and not app.blobs.exists(file)
    with pytest.raises(NotFound):
        retention.decide(app, actor=auditor, destruction_id=id, destroy=True, reason="再来", at=at)
    with app.db.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM submission WHERE case_id = :c AND data <> '{}'"), {"c": old}) == 0
        assert connection.scalar(text("SELECT count(*) FROM submission WHERE case_id = :c AND data <> '{}'"), {"c": young}) == 1
        assert check_trail(connection, app.keys).good
        assert connection.scalar(text("SELECT count(*) FROM audit WHERE action = 'retention.decide' AND case_id = :c"), {"c": old}) == 1


def test_a_special_rule_goes_before_the_general_one_and_a_new_one_ends_the_old(town: Town) -> None:
    app, at = town.app, town.app.clock.now()
    closed(town, 11)
    security = replace(town.actor("keeper"), rights=frozenset({"security"}))
    for subject, forever, first in (("*", False, date(2020, 1, 1)), ("case_filing.clue", True, date(2021, 1, 1))):
        retention.add_rule(app, actor=security, subject=subject, years=5, forever=forever, law="甲", valid_from=first, at=at)
    with app.db.connect() as connection:
        assert retention.due_cases(connection, on=at.date()) == []
    retention.add_rule(app, actor=security, subject="case_filing.clue", years=5, forever=False, law="乙", valid_from=date(2026, 1, 1), at=at)
    with app.db.connect() as connection:
        assert [one.law for one in retention.due_cases(connection, on=at.date())] == ["乙"]
        assert [row.valid_until for row in retention.rules(connection)] == [None, None, date(2025, 12, 31)]
