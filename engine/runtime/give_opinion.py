"""A colleague who was asked answers: the task comes back, or the held completion takes effect."""
from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import update

from engine.access.actors import Actor, load_actor
from engine.kernel.errors import AlreadyDone, Forbidden, Invalid
from engine.runtime.application import Application
from engine.runtime.begin import begin_on_task, request_hash
from engine.runtime.close_task import remember_handled
from engine.runtime.complete_task import finish
from engine.runtime.locate import require_open
from engine.runtime.once import once
from engine.runtime.settle import stand
from engine.runtime.signers import give_back_held, plan_again, read_held, tell_person
from engine.runtime.work import ActResult, Row, Work
from engine.storage.tables.runtime import task, task_signer

STANCES = {"agree": "同意", "disagree": "不同意"}


@once
def give_opinion(app: Application, *, actor: Actor, task_id: UUID, stance: str, opinion: str, key: str, at: datetime) -> ActResult:
    """Answer what one was asked on ``task_id``. The last agreement after a completion lets it take effect, in the same commit.

    Raises Invalid (no such stance; no words where they are needed), AlreadyDone when one isn't asked any more, Forbidden.
    """
    asked = request_hash(kind="sign", task=task_id, stance=stance, opinion=opinion)
    with app.db.begin() as connection:
        work = begin_on_task(app, connection, kind="sign", actor=actor, task_id=task_id, key=key, asked=asked, at=at)
        if isinstance(work, ActResult):
            return work
        assert work.task is not None
        require_open(connection, work.task)
        work.task["principal"] = None
        row = _asked(work, actor)
        said = opinion.strip()
        _check(row, stance, said)
        _answer(work, row, stance, said)
        if row["kind"] == "after":
            return _agreed(work, row, said) if stance == "agree" else _refused(work, row)
        return _returned(work, row, stance)


def _asked(work: Work, actor: Actor) -> Row:
    assert work.task is not None
    for row in work.task["signers"]:
        if row["person_id"] == str(actor.person_id) and row["status"] == "open":
            return dict(row)
    if any(row["person_id"] == str(actor.person_id) for row in work.task["signers"]):
        raise AlreadyDone("还没有轮到您：办理人提交以后才征求您的意见。")
    raise Forbidden("这一步没有征求您的意见，或者您已经答复过了。")


def _check(row: Row, stance: str, said: str) -> None:
    if stance not in STANCES:
        raise Invalid("请选择同意或者不同意。", fields={"stance": "请选一个。"})
    if not said and (row["kind"] != "after" or stance == "disagree"):
        raise Invalid("请写明您的意见。", fields={"opinion": "对方要看到您的意见才好办。"})


def _answer(work: Work, row: Row, stance: str, said: str) -> None:
    assert work.task is not None and work.actor is not None
    values: dict[str, Any] = {"status": "done", "stance": stance, "opinion": said, "answered_at": work.at, "act_id": work.act_id}
    if row["kind"] == "after" and stance == "disagree":
        values["status"] = "planned"
    work.batch.add(update(task_signer).where(task_signer.c.id == UUID(row["id"])).values(**values))
    remember_handled(work, work.actor.person_id)
    work.opinion, work.outcome, work.outcome_title = said, stance, STANCES[stance]


def _others(work: Work, row: Row) -> list[Row]:
    assert work.task is not None
    return [other for other in work.task["signers"] if other["status"] == "open" and other["id"] != row["id"]]


def _returned(work: Work, row: Row, stance: str) -> ActResult:
    """委派 and 加签 before: with the last answer the holder goes on."""
    assert work.task is not None and work.actor is not None
    waiting = "" if _others(work, row) else "，可以接着办了"
    tell_person(work, work.task["assignee_id"], f"{work.actor.name}{STANCES[stance]}{waiting}：{work.task['title']}　{work.case['title']}")
    if not waiting:
        return stand(work)
    work.batch.add(update(task).where(task.c.id == work.task["id"]).values(**_words(work)))
    return stand(work)


def _words(work: Work) -> Row:
    """The holder reads first what the colleague said, as the words of whoever the step came back from."""
    assert work.actor is not None
    return {"from_id": work.actor.person_id, "from_name": work.actor.name, "from_words": work.opinion}


def _refused(work: Work, row: Row) -> ActResult:
    """加签 after: one refusal gives the submission back to the holder with the opinion."""
    assert work.task is not None and work.actor is not None
    give_back_held(work, _words(work))
    plan_again(work, but=UUID(row["id"]))
    tell_person(work, work.task["assignee_id"], f"{work.actor.name}不同意，已回到您手里：{work.task['title']}　{work.case['title']}")
    return stand(work)


def _agreed(work: Work, row: Row, said: str) -> ActResult:
    assert work.task is not None
    if _others(work, row):
        return stand(work)
    return _take_effect(work, said)


def _take_effect(work: Work, said: str) -> ActResult:
    """What the holder submitted is done in the holder's name; the history entry is the last signer's."""
    assert work.task is not None and work.actor is not None
    held = read_held(work)
    work.signer, work.signer_words = work.actor, said
    work.actor = load_actor(work.connection, UUID(held["by"]), UUID(held["post"]), work.today)
    work.task.update(signers=[], principal=held["for"])
    tell_person(work, work.actor.person_id, f"{work.signer.name}同意，您的提交已生效：{work.task['title']}　{work.case['title']}")
    return finish(work, data=held["data"], outcome=held["outcome"], opinion=held["opinion"], form_hash=held["form_hash"])
