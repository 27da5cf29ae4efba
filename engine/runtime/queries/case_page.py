"""The case page: what this case is, who holds it, what was done, what hangs on it."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from engine.access.actors import Actor
from engine.access.scope import require_case
from engine.kernel.errors import NotFound
from engine.runtime.queries.named import statements

SQL = statements(__file__)
Row = dict[str, Any]
HUMAN = frozenset({"start", "complete", "return", "withdraw", "transfer", "claim", "release", "skip", "retry"})


@dataclass(frozen=True, kw_only=True)
class CasePage:
    """``head`` and rows as case_page.sql names their columns; ``acts`` newest first."""

    head: Row
    tasks: Sequence[Row]
    instances: Sequence[Row]
    acts: Sequence[Row]

    def task(self, id: UUID) -> Row | None:
        return next((row for row in self.tasks if row["id"] == id), None)

    @property
    def mine(self) -> list[Row]:
        """Open steps that the reader holds, then those they may claim."""
        return [row for row in self.tasks if row["mine"]] + [row for row in self.tasks if row["claimable"]]


def case_page(connection: Connection, *, actor: Actor, case_id: UUID) -> CasePage:
    """Five statements. Raises NotFound for a case that isn't there or that ``actor`` may not see."""
    require_case(connection, actor, case_id)
    head = connection.execute(SQL["head"], {"case_id": case_id}).mappings().one()
    person = {"person": actor.person_id, "units": [unit for unit, _ in actor.posts], "posts": [post for _, post in actor.posts]}
    return CasePage(
        head=dict(head), tasks=_rows(connection, "open_tasks", case_id=case_id, **person), instances=_rows(connection, "instances", case_id=case_id),
        acts=_rows(connection, "acts", case_id=case_id),
    )


def _rows(connection: Connection, name: str, **values: Any) -> list[Row]:
    return [dict(row) for row in connection.execute(SQL[name], values).mappings()]


def task_place(connection: Connection, *, task_id: UUID) -> Row:
    """Case, status and title of a task; raises NotFound. Says nothing about rights: the case is asked next."""
    row = connection.execute(SQL["task_place"], {"task_id": task_id}).mappings().one_or_none()
    if row is None:
        raise NotFound("没有这项任务，或者您无权查看。")
    return dict(row)


def documents(connection: Connection, *, actor: Actor, case_id: UUID) -> list[Row]:
    """Documents of a case, newest first."""
    require_case(connection, actor, case_id)
    return _rows(connection, "documents", case_id=case_id)


def attachments(connection: Connection, *, actor: Actor, case_id: UUID) -> list[Row]:
    """Files of a case, newest first."""
    require_case(connection, actor, case_id)
    return _rows(connection, "attachments", case_id=case_id)


def submissions(connection: Connection, *, actor: Actor, case_id: UUID) -> list[Row]:
    """What was submitted in forms, newest first."""
    require_case(connection, actor, case_id)
    return _rows(connection, "submissions", case_id=case_id)


def submission(connection: Connection, *, actor: Actor, submission_id: UUID) -> Row:
    """One set of answers; raises NotFound."""
    row = connection.execute(SQL["submission"], {"submission_id": submission_id}).mappings().one_or_none()
    if row is None:
        raise NotFound("没有这份表单，或者您无权查看。")
    require_case(connection, actor, row["case_id"])
    return dict(row)


def links(connection: Connection, *, actor: Actor, case_id: UUID) -> list[Row]:
    """Cases linked to this one."""
    require_case(connection, actor, case_id)
    return _rows(connection, "links", case_id=case_id)


def log(connection: Connection, *, actor: Actor, case_id: UUID) -> list[Row]:
    """Audit records of the case, newest first."""
    require_case(connection, actor, case_id)
    return _rows(connection, "log", case_id=case_id)


def withdrawable(connection: Connection, *, actor: Actor, acts: Sequence[Row]) -> Row | None:
    """The reader's own last act when nobody acted after it and nothing irreversible came since; else None."""
    seen: set[UUID | None] = set()
    for act in acts:
        if act["automatic"] or act["kind"] not in HUMAN or act["undone"] or act["instance_id"] in seen:
            continue
        seen.add(act["instance_id"])
        if act["actor_id"] != actor.person_id or act["kind"] not in ("complete", "return") or not act["has_snapshot"]:
            continue
        if not connection.scalar(SQL["irreversible_since"], {"instance_id": act["instance_id"], "at": act["at"]}):
            return act
    return None


@dataclass(frozen=True, kw_only=True)
class Step:
    """One entry of 办理经过. ``light`` is the state's shape and colour, ``word`` what was decided."""

    act_id: UUID
    person: str
    post: str
    light: str
    word: str
    opinion: str
    at: datetime
    took: Any
    automatic: bool
    undone: bool


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Steps of one process on the case, newest first."""

    title: str
    steps: Sequence[Step]
    first: datetime
    last: datetime


LIGHTS: Mapping[str, str] = {"return": "late", "withdraw": "hold", "transfer": "hold", "start": "now", "skip": "soon", "retry": "soon"}
WORDS: Mapping[str, str] = {
    "start": "发起", "complete": "办结本步", "return": "退回", "withdraw": "撤回", "transfer": "转办", "claim": "认领", "release": "放回", "timer": "到时自动办理",
    "message": "收到消息", "service": "自动办理", "skip": "跳过异常", "retry": "重试异常",
}
QUIET = frozenset({"claim", "release"})


def stages(page: CasePage) -> list[Stage]:
    """办理经过 by process, the process that moved last first. 认领 and 放回 stand in the log only."""
    titles = {row["id"]: row["title"] for row in page.instances}
    found: dict[UUID | None, list[Row]] = {}
    for act in page.acts:
        if act["kind"] not in QUIET and not (act["automatic"] and not act["outcome_title"] and act["kind"] == "service"):
            found.setdefault(act["instance_id"], []).append(act)
    return [
        Stage(title=titles.get(instance, ""), steps=[_step(act) for act in acts], first=acts[-1]["at"], last=acts[0]["at"])
        for instance, acts in found.items()
    ]


def _step(act: Row) -> Step:
    opened = act["task_opened_at"]
    returned = act["kind"] == "return" or (act["outcome_title"] or "").startswith(("退回", "不同意", "不予"))
    return Step(
        act_id=act["id"], person=act["actor_name"], post=act["actor_post"], light="late" if returned else LIGHTS.get(act["kind"], "ok"),
        word=act["outcome_title"] or WORDS.get(act["kind"], "办理"), opinion=act["opinion"], at=act["at"], took=act["at"] - opened if opened else None,
        automatic=act["automatic"], undone=act["undone"],
    )


def path_taken(page: CasePage, instance_id: UUID) -> tuple[set[str], set[str]]:
    """(nodes and flows passed, nodes open now) of one instance, undone acts left out; ids as drawn."""
    done: set[str] = set()
    for act in page.acts:
        if act["instance_id"] == instance_id and not act["undone"]:
            done.update(act["flows"])
            done.update(act["nodes"])
            if act["node"] and act["kind"] == "complete":
                done.add(act["node"])
    here = {part for task in page.tasks if task["instance_id"] == instance_id for part in (task["node"], *task["scope"].split("/")) if part}
    return done - here, here


def who_passed(page: CasePage, instance_id: UUID) -> dict[str, Row]:
    """Node → the last act done on it, newest wins."""
    found: dict[str, Row] = {}
    for act in page.acts:
        if act["instance_id"] == instance_id and act["node"] and act["kind"] == "complete" and not act["undone"]:
            found.setdefault(act["node"], act)
    return found


def posts_of_unit(connection: Connection, *, unit_id: UUID) -> list[tuple[UUID, str]]:
    """(unit id, post code) of every post in a unit."""
    return [(row.unit_id, row.code) for row in connection.execute(SQL["posts_of_unit"], {"unit_id": unit_id})]


def head(connection: Connection, *, case_id: UUID) -> Row:
    """What a case is, without asking for rights: the caller has."""
    return dict(connection.execute(SQL["head"], {"case_id": case_id}).mappings().one())
