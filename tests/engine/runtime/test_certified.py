"""执法证 and 督察证 that a diagram asks for: at starting, claiming, completing and being handed a step, valid on that very day."""
from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from engine.access.certificates import give_certificate
from engine.kernel.errors import DeployRefused, Forbidden
from engine.runtime.claim_task import claim_task
from engine.runtime.complete_task import complete_task
from engine.runtime.deploy_file import deploy_file
from engine.runtime.start_case import start_case
from engine.runtime.transfer_task import transfer_task
from engine.storage.tables.certificates import certificate
from engine.storage.tables.runtime import task
from tests.browser import Browser
from tests.engine.runtime.walk import key
from tests.town import Town


def diagram(process: str, check: str) -> bytes:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:gc="urn:guicheng:bpmn:1" id="d" targetNamespace="urn:guicheng:borrow_umbrella">
  <bpmn:process id="borrow_umbrella" name="持证办理" isExecutable="true" gc:certificate="{process}">
    <bpmn:extensionElements><gc:fact name="outcome" type="text" title="结论"/><gc:fact name="place" type="text" title="去哪里"/></bpmn:extensionElements>
    <bpmn:startEvent id="start" name="开始"/>
    <bpmn:userTask id="ask" name="申请" gc:form="loan" gc:role="borrower"><bpmn:extensionElements><gc:field name="condition" right="hide"/><gc:outcome value="submit" title="提交"/></bpmn:extensionElements></bpmn:userTask>
    <bpmn:userTask id="look" name="现场督察" gc:form="loan" gc:role="borrower" gc:remember="false" gc:certificate="{check}"><bpmn:extensionElements><gc:fields default="read"/>
      <gc:outcome value="done" title="办好"/><gc:outcome value="back" title="退件" kind="return" opinion="none"/></bpmn:extensionElements></bpmn:userTask>
    <bpmn:endEvent id="end" name="完"/>
    <bpmn:sequenceFlow id="a" sourceRef="start" targetRef="ask"/><bpmn:sequenceFlow id="b" sourceRef="ask" targetRef="look"/><bpmn:sequenceFlow id="c" sourceRef="look" targetRef="end"/>
  </bpmn:process></bpmn:definitions>""".encode()


def deploy(town: Town, process: str, check: str) -> None:
    deploy_file(
        town.app, actor=town.actor("keeper"), pack="borrow_umbrella", filename="borrow_umbrella.bpmn", content=diagram(process, check), note="持证", at=town.app.clock.now(),
    )


def start(town: Town, who: str = "officer") -> Any:
    started = start_case(town.app, actor=town.actor(who), process="borrow_umbrella.borrow_umbrella", data={"place": "会议室", "days": 1}, outcome="submit", key=key(), at=town.app.clock.now())
    with town.app.db.connect() as connection:
        return connection.scalar(select(task.c.id).where(task.c.case_id == started.case_id, task.c.status == "open"))


def give(town: Town, who: str, *, days: int) -> None:
    """A 督察证 that is good for so many days."""
    now = town.app.clock.now()
    with town.app.db.begin() as connection:
        give_certificate(connection, person_id=town.people[who], number=f"督{who}", kind="inspector", valid_from=now.date(), valid_until=now.date() + timedelta(days=days), at=now)


def acts(town: Town, who: str, task_id: Any) -> dict[str, Any]:
    return {"actor": town.actor(who), "task_id": task_id, "key": key(), "at": town.app.clock.now()}


def test_a_step_with_a_supervisor_certificate_waits_for_one(town: Town) -> None:
    deploy(town, "", "enforcement inspector")
    step = start(town)
    with pytest.raises(Forbidden, match=r"要由持有效执法证、督察证的人办理，您没有登记督察证件。请转给持证的同事"):
        claim_task(town.app, **acts(town, "officer", step))
    page = Browser(town.app, "officer").get(f"/tasks/{step}", follow_redirects=True).get_data(as_text=True)
    assert "您没有登记督察证件" in page
    with pytest.raises(Forbidden, match="没有登记督察证件"):
        complete_task(town.app, **acts(town, "officer", step), data={}, outcome="done")
    give(town, "officer", days=1)
    claim_task(town.app, **acts(town, "officer", step))
    with pytest.raises(Forbidden, match="程砚白没有登记督察证件。请另选一位同事"):
        transfer_task(town.app, **acts(town, "officer", step), to_person_id=town.people["officer_two"], reason="出差。")
    town.app.clock.advance(timedelta(days=2))
    with pytest.raises(Forbidden, match="督察证件 督officer 已于2026-11-21到期"):
        complete_task(town.app, **acts(town, "officer", step), data={}, outcome="done")
    give(town, "officer_two", days=30)
    transfer_task(town.app, **acts(town, "officer", step), to_person_id=town.people["officer_two"], reason="证件到期。")
    complete_task(town.app, **acts(town, "officer_two", step), data={}, outcome="done")


def test_a_process_may_ask_at_every_step_and_a_step_may_not(town: Town) -> None:
    deploy(town, "enforcement", "")
    with town.app.db.begin() as connection:
        connection.execute(update(certificate).where(certificate.c.person_id == town.people["officer"]).values(suspended_from=town.app.clock.today(), reason="暂扣"))
    with pytest.raises(Forbidden, match="执法证件 09000000 从2026-11-20起停用"):
        start(town)
    step = start(town, "officer_two")
    complete_task(town.app, **acts(town, "officer", step), data={}, outcome="done")


def test_handing_back_takes_no_certificate_and_words_are_checked(town: Town) -> None:
    deploy(town, "", "inspector")
    step = start(town)
    with pytest.raises(Forbidden):
        complete_task(town.app, **acts(town, "officer", step), data={}, outcome="done")
    with pytest.raises(DeployRefused, match="gc:certificate 里“driver”不认识。可以写 enforcement（执法证）、inspector（督察证）"):
        deploy(town, "", "driver")
