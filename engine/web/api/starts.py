"""What the token's holder may start, and the form it begins with."""
from __future__ import annotations

from typing import Any

from flask import Response
from pydantic import BaseModel, Field

from engine.kernel.errors import NotFound
from engine.kernel.names import is_name
from engine.runtime.queries import starts
from engine.runtime.start_case import first_step
from engine.web import task_form
from engine.web.api.forms import FormTold, OutcomeTold, form_told, outcomes_told, values_of
from engine.web.api.topic import ErrorAnswer, Told, make_topic, tell
from engine.web.context import actor, application, now, reading, today

topic = make_topic("starts", "发起", "能发起什么，第一步填什么")


class StartPath(BaseModel):
    process: str = Field(max_length=200, description="流程名", json_schema_extra={"example": "case_filing.clue_intake"})


class StartTold(Told):
    """可以发起的一个流程"""

    process: str = Field(description="发起时写在 process 里")
    title: str
    help: str = Field(description="什么时候用")
    pack_title: str = Field(description="业务")
    system: str = Field(description="所属系统")


class StartsTold(Told):
    """可以发起的全部流程"""

    items: list[StartTold]


class StartRead(Told):
    """一个流程的第一步"""

    process: str
    title: str
    help: str
    step: str = Field(description="第一步的名称")
    form: FormTold | None = Field(description="第一步的表；不用填表为 null")
    data: dict[str, Any] = Field(description="系统带出来的内容")
    outcomes: list[OutcomeTold] = Field(description="可以按的按钮")


@topic.get("/starts", responses={200: StartsTold})
def listed() -> Response:
    """可以发起的流程"""
    with reading() as connection:
        offers = starts.offered(connection, catalogue=application().catalogue, actor=actor(), on=today())
    return tell(StartsTold(items=[StartTold.model_validate(offer) for offer in offers]))


@topic.get("/starts/<process>", responses={200: StartRead, 403: ErrorAnswer})
def read(path: StartPath) -> Response:
    """发起时填的表"""
    start = application().catalogue.start(known_name(path.process))
    first = first_step(application(), actor=actor(), process=path.process, at=now())
    with reading() as connection:
        opened = task_form.open_form(connection, case=None, instance=first.instance, task=first.task, facts=first.facts, url=_no_address)
        answer = StartRead(
            process=start.process, title=start.title, help=start.help, step=first.task["title"],
            form=form_told(opened.form, opened.rights) if opened.form else None, data=values_of(opened, None), outcomes=outcomes_told(opened),
        )
    return tell(answer)


def _no_address(name: str, **_: str) -> str:
    return ""


def known_name(name: str) -> str:
    """``name`` when it reads ``<pack>.<name>``; raises NotFound."""
    parts = name.split(".")
    if len(parts) != 2 or not all(is_name(part) for part in parts):
        raise NotFound(f"没有名为 {name[:100]} 的内容，名称写成 业务包.名称。")
    return name
