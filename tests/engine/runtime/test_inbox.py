"""A message that comes before anybody waits is kept, and handed over to the right case when it does."""
from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from engine.kernel.errors import DeployRefused
from engine.kernel.settings import ROOT
from engine.runtime.bpmn import watchdog
from engine.runtime.deliver_message import deliver_message
from engine.runtime.deploy_file import deploy_file
from engine.runtime.start_case import start_matter
from engine.storage.tables.runtime import instance, message_inbox
from tests.engine.runtime.walk import do, key, start_clue
from tests.town import Town

EXTENSION = ROOT / "processes" / "case_filing" / "clue_extension.bpmn"


def deploy(town: Town, content: bytes) -> Any:
    return deploy_file(town.app, actor=town.actor("keeper"), pack="case_filing", filename="clue_extension.bpmn", content=content, note="试", at=town.app.clock.now())


def waiting_for_a_reply() -> bytes:
    """The extension of a clue that ends with waiting for a reply about its case instead of moving the clock."""
    text = EXTENSION.read_text(encoding="utf-8")
    begin, end = text.index("<bpmn:serviceTask"), text.index("</bpmn:serviceTask>") + len("</bpmn:serviceTask>")
    catch = (
        '<bpmn:intermediateCatchEvent id="change_clock" name="等回函" gc:correlation="case_id"><bpmn:incoming>decided_to_change_clock</bpmn:incoming>'
        '<bpmn:outgoing>change_clock_to_done</bpmn:outgoing><bpmn:messageEventDefinition messageRef="reply_message"/></bpmn:intermediateCatchEvent>'
    )
    text = text[:begin] + catch + text[end:]
    return text.replace("<bpmn:process ", '<bpmn:message id="reply_message" name="reply"/><bpmn:process ').encode()


def send(town: Town, correlation: str) -> Any:
    return deliver_message(town.app, name="reply", correlation=correlation, payload={}, key=f"reply:{correlation}", at=town.app.clock.now())


def test_an_early_message_waits_in_the_inbox_for_its_case(town: Town) -> None:
    deploy(town, waiting_for_a_reply())
    case_id = start_clue(town).case_id
    start_matter(
        town.app, actor=town.actor("officer"), case_id=case_id, process="case_filing.clue_extension", data={"reason": "需进一步核查。", "extension_days": 15},
        outcome="submit", key=key(), at=town.app.clock.now(),
    )
    assert [send(town, str(case_id)).status, send(town, "another case").status] == ["waiting", "waiting"]
    for login, node in (("head", "office_review"), ("section_head", "section_head_review"), ("chief", "agency_approval")):
        do(town, login, node)
    town.app.jobs.run_due(town.app)
    assert send(town, str(case_id)).status == "delivered"
    with town.app.db.connect() as connection:
        left = connection.scalars(select(message_inbox.c.correlation).where(message_inbox.c.status == "waiting")).all()
        done = connection.scalar(select(func.count()).select_from(instance).where(instance.c.process == "case_filing.clue_extension", instance.c.status == "completed"))
    assert (left, done) == (["another case"], 1)


def test_an_upload_that_takes_too_long_is_refused(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "look", lambda xml, **_: "流程图的分析超过 10 秒仍未结束，已停止。")
    with pytest.raises(DeployRefused, match="仍未结束"):
        deploy(town, EXTENSION.read_bytes())
