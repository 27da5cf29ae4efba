"""退回以后怎么再走: every step again, or straight back to whoever returned it.

Straight back runs the diagram like any other time, so that documents are drafted anew, gateways judge the new answers and branches meet
at their joins; only the steps that people have done between are passed over, with the answers and the outcome they gave. A step that
the new answers lead to and nobody has done is done as usual. Steps of a repeated activity (会签) are always asked anew.

Kept with the machine's state under ``marks["redo"]``, so that a withdrawal takes it back too:
``plans``   ``{token, back, person, name, steps, active}``: the redo ``token``, the place to come back to, what may be passed over
``passed``  place → ``[task id, outcome, act id, when]`` of the steps passed over last time; to a further return they are as done then
A place is ``<scope>/<node>``.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select

from engine.form_filling.widgets import widget_of
from engine.kernel.errors import Invalid
from engine.kernel.names import pack_of, qualify
from engine.runtime.answers import form_of_task
from engine.runtime.bpmn.machine import Machine
from engine.runtime.bpmn.targets import covers
from engine.runtime.bpmn.waits import UserWait, Waits
from engine.runtime.nodes import process_of, rights_of
from engine.runtime.secrets import open_secrets
from engine.runtime.work import Row, Work
from engine.storage.tables.runtime import submission, task

AGAIN, STRAIGHT = "again", "straight"
WORDS: Mapping[str, str] = {AGAIN: "每一步重走", STRAIGHT: "直接送回退回的人"}


def ways(process: Any, node: Any, facts: Mapping[str, Any]) -> tuple[str, ...]:
    """What ``gc:redo`` of the step, else of its process, lets the returner choose, the default first; both where it says nothing."""
    declared = (node.attributes.get("redo"), process.model.attributes.get("redo"))
    said = (facts.get(text[1:]) if text.startswith("=") else text for text in declared if text)
    value = next((word for word in said if word), None)
    return (str(value),) if value in WORDS else (AGAIN, STRAIGHT)


def chosen_way(allowed: Sequence[str], then: str | None) -> str:
    """The way to take; raises Invalid for one that the process doesn't allow."""
    if then is None:
        return allowed[0]
    if then not in allowed:
        only = f"这个流程规定退回以后{WORDS[allowed[0]]}。" if then in WORDS else "请选退回以后怎么走。"
        raise Invalid(only, fields={"then": f"可以选：{'、'.join(f'{way} {WORDS[way]}' for way in allowed)}。"})
    return then


def plan_return(work: Work, target: Row, way: str) -> Row | None:
    """Before the token jumps: what an earlier plan said about steps that are done again goes; for 直送 the new plan, without its token."""
    assert work.task is not None
    marks = _marks(work)
    here = _place(work.task)
    plan = {"back": here, "steps": _steps(work, target), **_returner(work)} if way == STRAIGHT else None
    kept = [one for one in marks["plans"] if not _inside(work, target, one["back"]) or (plan and one["token"] == work.task["engine_id"])]
    for one in kept:
        if one["token"] == work.task["engine_id"]:
            one["token"], one["place"] = "", here
    marks["plans"] = kept
    marks["passed"] = {place: row for place, row in marks["passed"].items() if not _inside(work, target, place)}
    return plan


def keep_plan(work: Work, plan: Row, token: str) -> None:
    """After the jump: the plan holds for the redo ``token``."""
    _marks(work)["plans"].append({**plan, "token": token, "place": "", "active": False})


def completed(work: Work, kind: str) -> None:
    """The step at hand was completed with an outcome of ``kind``: submitting starts its plan, anything else ends the plans that run."""
    assert work.task is not None
    plans = work.machine.marks.get("redo", {}).get("plans")
    if not plans:
        return
    if kind == "submit":
        for plan in plans:
            plan["active"] = plan["active"] or plan["token"] == work.task["engine_id"]
    else:
        _marks(work)["plans"] = [plan for plan in plans if not plan["active"] and plan["token"] != work.task["engine_id"]]


def pass_over(work: Work, waits: Waits) -> bool:
    """Complete one fresh step that needn't be done again; False when there is none. Ends the plan whose step to come back to is reached."""
    plans = work.machine.marks.get("redo", {}).get("plans")
    if not plans:
        return False
    known = {wait.engine_id for wait in work.waits_before.user_tasks}
    return any(wait.engine_id not in known and _meet(work, wait) for wait in waits.user_tasks)


def _meet(work: Work, wait: UserWait) -> bool:
    marks, place = _marks(work), f"{wait.scope}/{wait.node}"
    for plan in reversed([one for one in marks["plans"] if one["active"]]):
        if plan["back"] == place:
            marks["plans"].remove(plan)
            work.straight[wait.engine_id] = (UUID(plan["person"]), plan["name"]) if wait.index is None else (None, plan["name"])
            _wait_again(marks, place, wait.engine_id)
            return False
        step = plan["steps"].get(place) if wait.index is None else None
        if step is not None:
            del plan["steps"][place]
            marks["passed"][place] = [step[0], step[1], str(work.act_id), work.at.isoformat()]
            work.passed.append(wait.title)
            work.machine.complete(wait.engine_id, {**_facts(work, wait, UUID(step[0])), "outcome": step[1]}, now=work.at)
            return True
    return False


def _wait_again(marks: Row, place: str, token: str) -> None:
    """A step that is itself a redo for somebody before it is that redo again, as a new token."""
    for plan in marks["plans"]:
        if plan.get("place") == place and not plan["token"]:
            plan["token"], plan["place"] = token, ""


def straight_to(work: Work, engine_id: str) -> str:
    """Whom the step ``engine_id`` goes straight back to once it is done again; '' for any other step."""
    plans = work.machine.marks.get("redo", {}).get("plans", ())
    return next((str(plan["name"]) for plan in plans if plan["token"] == engine_id), "")


def tidy(work: Work, waits: Waits) -> None:
    """Forget plans whose redo is gone; nothing is left of it in a finished instance."""
    marks = work.machine.marks.get("redo")
    if not marks:
        return
    open_now = {wait.engine_id for wait in waits.user_tasks}
    back = {plan["back"] for plan in marks["plans"]}
    marks["plans"] = [one for one in marks["plans"] if one["active"] or one["token"] in open_now or (not one["token"] and one["place"] in back)]
    if work.machine.completed or not (marks["plans"] or marks["passed"]):
        del work.machine.marks["redo"]


def said_of(work: Work) -> str:
    """What the history adds to an act that passed over steps or came straight back."""
    parts = [f"{'、'.join(work.passed)}办过了，不重办"] if work.passed else []
    names = dict.fromkeys(name for _, name in work.straight.values())
    parts += [f"直接送回{name}" for name in names]
    return f"（{'，'.join(parts)}）" if parts else ""


@dataclass(frozen=True, kw_only=True)
class Passed:
    """A step that a redo passed over: its task, the act that did so, and when."""

    task_id: UUID
    act_id: UUID
    at: datetime


def passed_over(machine: Machine) -> dict[str, Passed]:
    """place → how it was passed over: to a further return it counts as done then, after the redo itself."""
    rows = machine.marks.get("redo", {}).get("passed", {})
    return {place: Passed(task_id=UUID(row[0]), act_id=UUID(row[2]), at=datetime.fromisoformat(row[3])) for place, row in rows.items()}


def below(scope: str) -> ColumnElement[bool]:
    """Tasks of the called process ``scope`` and of those that it calls."""
    return or_(task.c.scope == scope, task.c.scope.startswith(f"{scope}/" if scope else "", autoescape=True))


def _marks(work: Work) -> Row:
    found: Row = work.machine.marks.setdefault("redo", {"plans": [], "passed": {}})
    return found


def _place(row: Mapping[str, Any]) -> str:
    return f"{row['scope']}/{row['node']}"


def _returner(work: Work) -> Row:
    who = work.principal or (work.actor_id, work.actor_name)
    return {"person": str(who[0]), "name": who[1]}


def _steps(work: Work, target: Row) -> dict[str, list[str]]:
    """place → [task id, outcome] of the steps done since the target that will come up again and are no part of a repetition."""
    assert work.task is not None
    rows = work.connection.execute(
        select(task.c.id, task.c.scope, task.c.node, task.c.process, task.c.outcome, task.c.act_id)
        .where(task.c.instance_id == work.instance["id"], below(work.task["scope"]), task.c.status == "done").order_by(task.c.act_id)
    ).mappings()
    again, passed = f"{work.task['scope']}/{target['node']}", passed_over(work.machine)
    found: dict[str, list[str]] = {}
    for row in map(dict, rows):
        place = _place(row)
        since = passed[place].act_id if place in passed else row["act_id"]
        if place != again and since >= target["act_id"] and _inside(work, target, place) and _passable(work, row):
            found[place] = [str(row["id"]), row["outcome"] or ""]
    return found


def _passable(work: Work, row: Mapping[str, Any]) -> bool:
    """Submitted rather than sent back or refused, and asked of one person."""
    process = process_of(work.app, work.instance, row["process"])
    node, calls = process.nodes.get(row["node"]), row["scope"].split("/")
    if work.task is None or node is None or _repeated(process, node):
        return False
    if any(_call_repeated(work, calls[: depth + 1]) for depth in range(_depth(work.task), _depth(row))):
        return False
    kind = next((one.get("kind", "submit") for one in node.outcomes if one["value"] == row["outcome"]), "submit")
    return kind == "submit" and row["outcome"] != "return"


def _depth(row: Mapping[str, Any]) -> int:
    return len(row["scope"].split("/")) if row["scope"] else 0


def _call_repeated(work: Work, calls: list[str]) -> bool:
    process = process_of(work.app, work.instance, work.instance["process"])
    for call in calls[:-1]:
        process = process.process_of(qualify(process.nodes[call].called, pack_of(process.name)))
    return _repeated(process, process.nodes[calls[-1]])


def _repeated(process: Any, node: Any) -> bool:
    while node is not None:
        if node.loop is not None:
            return True
        node = process.nodes.get(node.scope)
    return False


def _inside(work: Work, target: Row, place: str) -> bool:
    """True for a place that a return to ``target`` has done again: in the blocks that the jump replaces."""
    assert work.task is not None
    scope, _, node = place.rpartition("/")
    own = work.task["scope"]
    if scope != own:
        if own and not scope.startswith(own + "/"):
            return False
        node = scope.removeprefix(own).lstrip("/").split("/")[0]
    process = process_of(work.app, work.instance, work.task["process"])
    level, at = process.nodes[target["node"]].scope, process.nodes.get(node)
    while at is not None and at.scope != level:
        at = process.nodes.get(at.scope)
    paths = process.blocks.paths
    return at is not None and covers(paths[target["node"]], paths[at.id])


def _facts(work: Work, wait: UserWait, task_id: UUID) -> dict[str, Any]:
    """The facts that the person gave at the step, from the answers kept."""
    row = work.connection.execute(
        select(task.c.form, task.c.node, submission.c.data).join(submission, and_(submission.c.case_id == task.c.case_id, submission.c.task_id == task.c.id))
        .where(task.c.id == task_id).order_by(submission.c.at.desc()).limit(1)
    ).mappings().one_or_none()
    form = form_of_task(work.app, work.instance, dict(row)) if row else None
    if row is None or form is None:
        return {}
    data = open_secrets(work.app.keys, row["data"])
    rights = rights_of(process_of(work.app, work.instance, wait.process).nodes[wait.node], list(form.fields))
    return {
        one.gc["fact"]: None if data.get(name) is None else widget_of(one).typed(one, data[name])
        for name, one in form.fields.items() if one.gc.get("fact") and rights[name] == "write"
    }
