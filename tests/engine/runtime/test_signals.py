"""A signal reaches every case that waits for it, once."""
from __future__ import annotations

from typing import Any

from sqlalchemy import select

from engine.runtime.deliver_signal import catch_signal, deliver_signal
from engine.runtime.start_case import start_matter
from engine.storage.tables.runtime import act, instance
from tests.engine.runtime.test_inbox import deploy, waiting_for_a_reply
from tests.engine.runtime.walk import do, key, start_clue
from tests.town import Town


def waiting_for_the_all_clear() -> bytes:
    """The extension of a clue that waits for a signal instead of a message."""
    text = waiting_for_a_reply().decode()
    text = text.replace('<bpmn:messageEventDefinition messageRef="reply_message"/>', '<bpmn:signalEventDefinition signalRef="clear_signal"/>')
    text = text.replace(' gc:correlation="case_id"', "").replace('<bpmn:message id="reply_message" name="reply"/>', '<bpmn:signal id="clear_signal" name="all_clear"/>')
    return text.encode()


def to_the_signal(town: Town) -> Any:
    case_id = start_clue(town).case_id
    start_matter(
        town.app, actor=town.actor("officer"), case_id=case_id, process="case_filing.clue_extension", data={"reason": "需进一步核查。", "extension_days": 15},
        outcome="submit", key=key(), at=town.app.clock.now(),
    )
    for login, node in (("head", "office_review"), ("section_head", "section_head_review"), ("chief", "agency_approval")):
        do(town, login, node, case_id=case_id)
    return case_id


def ended(town: Town) -> set[Any]:
    with town.app.db.connect() as connection:
        done = select(instance.c.case_id).where(instance.c.process == "case_filing.clue_extension", instance.c.status == "completed")
        return set(connection.scalars(done))


def test_a_signal_reaches_every_waiting_case_once(town: Town) -> None:
    deploy(town, waiting_for_the_all_clear())
    cases = {to_the_signal(town), to_the_signal(town)}
    town.app.jobs.run_due(town.app)
    assert ended(town) == set()

    assert deliver_signal(town.app, name="somebody_else", key="s0") == 0
    assert deliver_signal(town.app, name="all_clear", key="s1") == 2
    town.app.jobs.run_due(town.app)

    assert ended(town) == cases
    assert deliver_signal(town.app, name="all_clear", key="s2") == 0


def test_a_delivery_that_comes_twice_is_one_act(town: Town) -> None:
    deploy(town, waiting_for_the_all_clear())
    case_id = to_the_signal(town)
    with town.app.db.connect() as connection:
        waiting = connection.scalar(select(instance.c.id).where(instance.c.case_id == case_id, instance.c.process == "case_filing.clue_extension"))
    for _ in range(2):
        catch_signal(town.app, instance_id=str(waiting), name="all_clear", key="s1:x")
    with town.app.db.connect() as connection:
        assert len(connection.scalars(select(act.c.id).where(act.c.key == "s1:x")).all()) == 1
