"""The case page: what it is, who holds it, what comes next."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from engine.kernel.errors import AlreadyDone, NotFound
from engine.reporting.graphs.catalogue import graph_of_kind
from engine.runtime.allowed import allowed_acts
from engine.runtime.queries import case_page as query
from engine.runtime.queries import starts
from engine.runtime.queries.tally import Tally, tally_of
from engine.web import case_clocks, case_flow, task_form
from engine.web.case_say import says
from engine.web.context import actor, application, identifier, new_key, now, reading, today

blueprint = Blueprint("case_page", __name__)
TABS = (("flow", "流程图", None), ("forms", "表单", "submissions"), ("documents", "文书", "documents"), ("attachments", "附件", "attachments"),
        ("links", "关联", "links"), ("graph", "案情图谱", None), ("journey", "流转", None), ("log", "日志", None))


@dataclass(frozen=True, kw_only=True)
class Tab:
    """One tab under the case; ``url`` is where its content comes from when it is opened."""

    key: str
    word: str
    count: int | None
    url: str


@blueprint.get("/cases/<case_id>")
def case(case_id: str) -> ResponseReturnValue:
    return show(identifier(case_id, "案件"), task_id=identifier(request.args["task"], "任务") if "task" in request.args else None)


@blueprint.get("/tasks/<task_id>")
def task(task_id: str) -> ResponseReturnValue:
    id = identifier(task_id, "任务")
    with reading() as connection:
        place = query.task_place(connection, task_id=id)
    if place["status"] != "open":
        return redirect(url_for("case_page.case", case_id=place["case_id"]))
    return show(place["case_id"], task_id=id)


def show(
    case_id: UUID, *, task_id: UUID | None = None, sent: Mapping[str, Any] | None = None, errors: Mapping[str, str] | None = None, status: int = 200,
) -> ResponseReturnValue:
    """The page of a case; with ``sent`` and ``errors`` as the reader left the form."""
    with reading() as connection:
        page = query.case_page(connection, actor=actor(), case_id=case_id, by_task=task_id is not None)
        values = _values(connection, page, task_id)
        chosen = _chosen(page, task_id)
        if chosen is not None and chosen["signers"]:
            values["team"], values["team_key"] = chosen, new_key()
        if chosen is not None and chosen["asked"] and not suspended(chosen):
            values["asked"] = {"task": chosen, "row": chosen["asked"], "key": new_key()}
        if values["asked"] is None and chosen is not None and may_work(chosen):
            values["work"] = task_form.work_on(connection, case=page.head, task=chosen, sent=sent, errors=errors or {})
        else:
            values["latest"] = task_form.latest_block(connection, case=page.head, instances=page.instances)
    return render_template("case/page.html", **values), status


def _instance_shown(page: query.CasePage, task_id: UUID | None) -> UUID | None:
    """The process whose step the page shows."""
    chosen = _chosen(page, task_id)
    return chosen["instance_id"] if chosen else None


def suspended(task: Mapping[str, Any]) -> bool:
    """Whether the process of an open step stands still."""
    return bool(task["instance_status"] == "suspended")


def may_work(task: Mapping[str, Any]) -> bool:
    """Whether the reader can complete the step now: it is theirs, nobody's opinion is waited for, the process runs."""
    return bool((task["mine"] or task["claimable"]) and not task["waiting"] and not suspended(task))


def _chosen(page: query.CasePage, task_id: UUID | None) -> dict[str, Any] | None:
    if task_id is not None:
        found = page.task(task_id)
        if found is None:
            raise AlreadyDone("这一步已经不在办理中，请看案件现状。")
        return found
    return page.mine[0] if page.mine else None


def _values(connection: Connection, page: query.CasePage, task_id: UUID | None) -> dict[str, Any]:
    head = page.head
    app = application()
    running = [row["process"] for row in page.instances if row["ended_at"] is None]
    stages = query.stages(page.acts, title_of=process_title)
    for task in page.tasks:
        task.update(can_urge=not (task["mine"] or task["asked"] or suspended(task)) and "urge" in allowed_acts(app, task, task), urge_key=new_key())
    awaited = [] if page.tasks or head["closed_at"] else query.waited_for(connection, case_id=head["id"])
    first, last = (page.acts[-1]["at"], page.acts[0]["at"]) if page.acts else (None, None)
    return {
        "head": head,
        "state_light": "done" if head["closed_at"] or head["voided_at"] else "now",
        "tasks": page.tasks,
        "tallies": tallies(connection, page),
        "says": says(page, actor=actor(), now=now(), awaited=awaited),
        "awaited": awaited,
        "clocks": case_clocks.clocks(connection, case_id=head["id"], tasks=page.tasks),
        "trail": {"stages": stages, "count": sum(len(stage.steps) for stage in stages), "took": _took(first, last), "older": page.older},
        "tabs": _tabs(head, graphed=graph_of_kind(app.library, head["kind"]) is not None),
        "chosen_tab": _chosen_tab(),
        "diagrams": case_flow.diagrams(page, first=_instance_shown(page, task_id)),
        "withdraw": query.withdrawable(actor=actor(), acts=page.acts),
        "withdraw_key": new_key(),
        "matters": starts.matters_offered(
            connection, catalogue=app.catalogue, actor=actor(), on=today(), kind=head["kind"], state=head["state"], running=running,
        ),
        "fanned": any(row["fanned"] for row in page.instances),
        "work": None,
        "latest": None,
        **case_tools(page),
    }


def tallies(connection: Connection, page: query.CasePage) -> list[Tally]:
    """One tally for each vote that is going on, however many of its steps are open."""
    votes = {(task["instance_id"], task["scope"], task["node"]): task for task in page.tasks}
    found = (tally_of(application(), connection, instance=task_form.instance_of(task), task=task, at=now()) for task in votes.values())
    return [tally for tally in found if tally is not None]


def case_tools(page: query.CasePage) -> dict[str, Any]:
    """What the head of the page and the history offer besides the step at hand."""
    states = {row["status"] for row in page.instances}
    operator, mine = "operator" in actor().rights, any(task["mine"] for task in page.tasks)
    return {
        "asked": None, "team": None, "team_key": "",
        "can_copy": not mine and actor().person_id in (page.head["handler_id"], page.head["created_by_id"]),
        "can_comment": not page.head["voided_at"], "can_suspend": operator and "running" in states, "can_resume": operator and "suspended" in states,
    }


def process_title(name: str) -> str:
    found = application().library.find_current("process", name)
    return found.title if found else name


def _took(first: Any, last: Any) -> timedelta | None:
    return last - first if first and last and last - first >= timedelta(minutes=1) else None


def _chosen_tab() -> str:
    wanted = request.args.get("tab", "flow")
    if wanted not in [key for key, _, _ in TABS]:
        raise NotFound("没有这一页材料，请从案件页的标签进入。")
    return wanted


def _tabs(head: Mapping[str, Any], *, graphed: bool) -> list[Tab]:
    return [
        Tab(key=key, word=word, count=head[column] if column else None, url="" if key == "flow" else url_for("case_graph.graph" if key == "graph" else f"case_tabs.{key}", case_id=head["id"]))
        for key, word, column in TABS if graphed or key != "graph"
    ]
