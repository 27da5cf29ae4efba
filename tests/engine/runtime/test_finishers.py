"""Who finished each step last: kept with the instance, the same as the steps say, forgotten where steps are taken back."""
from __future__ import annotations

from typing import Any

from sqlalchemy import select, text, update

from engine.runtime import invariants
from engine.runtime.locate import lock_task
from engine.runtime.withdraw_act import withdraw_act
from engine.storage.tables.runtime import act, instance
from tests.engine.runtime.walk import HANDLING, do, key, open_task, start_clue
from tests.town import Town


def people(town: Town) -> Any:
    with town.app.db.connect() as connection:
        return connection.scalar(select(instance.c.people).order_by(instance.c.started_at.desc()).limit(1))


def locked(town: Town, node: str) -> dict[str, Any]:
    with town.app.db.connect() as connection:
        return lock_task(connection, task_id=open_task(town, node)["id"], key="", actor=None)[1]


def violations(town: Town) -> list[str]:
    with town.app.db.connect() as connection:
        return list(invariants._finishers(connection))


def test_it_is_kept_with_the_instance_and_read_from_there(town: Town) -> None:
    start_clue(town)
    officer = town.actor("officer").person_id
    assert set(people(town)["nodes"].values()) == {str(officer)} and violations(town) == []
    do(town, "officer", "verify", "file", data=HANDLING)
    kept = people(town)
    assert kept["nodes"]["handle_clue/verify"] == str(officer) and violations(town) == []
    assert locked(town, "draft")["done_by"] == dict.fromkeys(kept["nodes"], officer)

    with town.app.db.begin() as connection:  # it is what is kept that an act reads, not the steps
        connection.execute(update(instance).values(people={"nodes": {"handle_clue/verify": str(town.actor("head").person_id)}, "roles": {}}))
    assert locked(town, "draft")["done_by"] == {"handle_clue/verify": town.actor("head").person_id}
    assert len(violations(town)) == 1


def test_what_is_not_kept_is_read_from_the_steps_and_kept_with_the_next_act(town: Town) -> None:
    start_clue(town)
    before = people(town)
    with town.app.db.begin() as connection:
        connection.execute(update(instance).values(people=None))
        assert connection.scalar(text("SELECT people IS NULL FROM instance"))
    do(town, "officer", "verify", "file", data=HANDLING)
    after = people(town)
    assert before["nodes"].items() <= after["nodes"].items() and "handle_clue/verify" in after["nodes"]

    with town.app.db.connect() as connection:
        last = connection.scalar(select(act.c.id).order_by(act.c.at.desc(), act.c.rev_before.desc()).limit(1))
    withdraw_act(town.app, actor=town.actor("officer"), act_id=last, key=key(), at=town.app.clock.now())
    assert people(town) is None and violations(town) == []
    assert "handle_clue/verify" not in locked(town, "verify")["done_by"]
