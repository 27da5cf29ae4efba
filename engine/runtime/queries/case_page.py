"""The case page: what this case is, who holds it, what was done, what hangs on it."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from engine.access.actors import Actor
from engine.access.scope import require_case
from engine.kernel.errors import NotFound
from engine.runtime.locate import NO_TASK
from engine.runtime.queries.links import visible_among
from engine.runtime.queries.named import statements
from engine.runtime.queries.pages import decode, encode
from engine.runtime.queries.reader import reader
from engine.storage.prepared import Prepared

SQL = statements(__file__)
PLACE = Prepared(SQL["task_place"])
Row = dict[str, Any]
NO_CASE = "没有找到这个案件，或您无权查看。"
MOST_ACTS, OLDER_ACTS, MOST_RECORDS = 1_000, 300, 200
"""Acts on the page itself, acts and audit records of each further portion."""
LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff"
NO_SUBMISSION = "没有这份表单，或者您无权查看。"


@dataclass(frozen=True, kw_only=True)
class CasePage:
    """``head`` and rows as case_page.sql names their columns; ``acts`` newest first, ``older`` the cursor of those before them."""

    head: Row
    tasks: Sequence[Row]
    instances: Sequence[Row]
    acts: Sequence[Row]
    older: str | None = None

    def task(self, id: UUID) -> Row | None:
        return next((row for row in self.tasks if row["id"] == id), None)

    @property
    def mine(self) -> list[Row]:
        """Open steps that the reader holds, then those on which they are asked, then those they may claim."""
        held, asked = [row for row in self.tasks if row["mine"]], [row for row in self.tasks if row["asked"] and not row["mine"]]
        return held + asked + [row for row in self.tasks if row["claimable"]]


def case_page(connection: Connection, *, actor: Actor, case_id: UUID, by_task: bool = False) -> CasePage:
    """Five statements. Raises NotFound for a case that isn't there or that ``actor`` may not see."""
    require_case(connection, actor, case_id, missing=NO_TASK if by_task else NO_CASE)
    head = connection.execute(SQL["head"], {"case_id": case_id}).mappings().one()
    acts, older = _acts(connection, case_id, None, MOST_ACTS)
    return CasePage(
        head=dict(head), tasks=open_steps(connection, actor=actor, case_id=case_id), instances=_rows(connection, "instances", case_id=case_id), acts=acts, older=older,
    )


def waited_for(connection: Connection, *, case_id: UUID) -> list[Row]:
    """(title, due_on) of the clocks at whose end the case goes on by itself; the caller has asked for rights."""
    return _rows(connection, "waited_for", case_id=case_id)


def older_acts(connection: Connection, *, actor: Actor, case_id: UUID, before: str) -> tuple[list[Row], str | None]:
    """(acts before the cursor, newest first; the cursor of those before them). Raises NotFound, Invalid for a cursor that is none."""
    require_case(connection, actor, case_id)
    return _acts(connection, case_id, before, OLDER_ACTS)


def _acts(connection: Connection, case_id: UUID, before: str | None, most: int) -> tuple[list[Row], str | None]:
    at, id = decode(before, length=2) if before else ("infinity", LAST_ID)
    return _portion(_rows(connection, "acts", case_id=case_id, before_at=at, before_id=id, most=most + 1), most, "id")


def _portion(rows: list[Row], most: int, key: str) -> tuple[list[Row], str | None]:
    """At most ``most`` of the rows, which were read with one more, and the cursor of what follows them."""
    shown = rows[:most]
    return shown, encode([shown[-1]["at"].isoformat(), shown[-1][key]]) if len(rows) > most else None


def open_steps(connection: Connection, *, actor: Actor, case_id: UUID) -> list[Row]:
    """Open steps with ``signers``; ``asked``: the row by which the reader is asked for an opinion now; ``waiting``: nobody can complete it yet."""
    rows = _rows(connection, "open_tasks", case_id=case_id, **reader(actor))
    for row in rows:
        row["signers"] = row["signers"] or []
        asked = [one for one in row["signers"] if one["status"] == "open"]
        row["asked"] = next((one for one in asked if one["person_id"] == str(actor.person_id)), None)
        row["waiting"] = row["held"] or bool(asked)
    return rows


def _rows(connection: Connection, name: str, **values: Any) -> list[Row]:
    return [dict(row) for row in connection.execute(SQL[name], values).mappings()]


def task_place(connection: Connection, *, task_id: UUID) -> Row:
    """Case, status, title and pinned form of a task; raises NotFound. Says nothing about rights: the case is asked next."""
    row = PLACE.mapping(connection, {"task_id": task_id})
    if row is None:
        raise NotFound(NO_TASK)
    return row


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
        raise NotFound(NO_SUBMISSION)
    require_case(connection, actor, row["case_id"], missing=NO_SUBMISSION)
    return dict(row)


def links(connection: Connection, *, actor: Actor, case_id: UUID) -> list[Row]:
    """Cases linked to this one that the reader may see as well."""
    require_case(connection, actor, case_id)
    rows = _rows(connection, "links", case_id=case_id)
    seen = visible_among(connection, actor=actor, case_ids=[row["id"] for row in rows])
    return [row for row in rows if row["id"] in seen]


def log(connection: Connection, *, actor: Actor, case_id: UUID, before: str | None = None) -> tuple[list[Row], str | None]:
    """(audit records of the case, newest first; the cursor of those before them)."""
    require_case(connection, actor, case_id)
    at, seq = decode(before, length=2) if before else ("infinity", str(2**62))
    return _portion(_rows(connection, "log", case_id=case_id, before_at=at, before_seq=seq, most=MOST_RECORDS + 1), MOST_RECORDS, "seq")


def awaited(connection: Connection, *, task_id: UUID) -> list[str]:
    """Names of those whose opinion a step waits for now."""
    return [row["person_name"] for row in _rows(connection, "awaited", task_id=task_id)]


def standing(connection: Connection, *, instance_id: UUID) -> list[Row]:
    """The open steps of an instance: ``title`` and the ``names`` of who has them, a role where nobody has taken it."""
    return _rows(connection, "standing", instance_id=instance_id)


def withdrawable(*, actor: Actor, acts: Sequence[Row]) -> Row | None:
    """The reader's own last act that ``withdraw_act`` would take back: nobody acted and nothing irreversible came after it."""
    passed: set[UUID | None] = set()
    for act in acts:
        if act["undone"] or act["kind"] == "withdraw" or act["instance_id"] in passed:
            continue
        if act["automatic"] and not act["irreversible"]:
            continue
        passed.add(act["instance_id"])
        if act["actor_id"] == actor.person_id and act["movable"] and not act["irreversible"]:
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
    on_behalf_of: str


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Steps of one process on the case, newest first."""

    title: str
    steps: Sequence[Step]
    first: datetime
    last: datetime


LIGHTS: Mapping[str, str] = {"return": "late", "withdraw": "hold", "transfer": "hold", "start": "now", "skip": "soon", "retry": "soon",
    "delegate": "hold", "add_signer": "hold", "remove_signer": "hold", "hold": "now", "unhold": "hold", "suspend": "hold", "resume": "now", "hand_over": "hold",
    "cc": "none", "urge": "soon", "comment": "none"}
WORDS: Mapping[str, str] = {
    "start": "发起", "complete": "办结本步", "return": "退回", "withdraw": "撤回", "transfer": "转办", "claim": "认领", "release": "放回", "timer": "到时自动办理",
    "message": "收到消息", "service": "自动办理", "skip": "跳过异常", "retry": "重试异常",
    "delegate": "委派", "add_signer": "加签", "remove_signer": "减签", "sign": "给出意见", "hold": "提交，待同意", "unhold": "收回提交", "suspend": "暂停办理",
    "resume": "恢复办理", "hand_over": "交接", "cc": "抄送", "urge": "催办", "comment": "留言",
}
QUIET = frozenset({"claim", "release"})


def stages(acts: Sequence[Row], *, title_of: Callable[[str], str]) -> list[Stage]:
    """办理经过 in stages: runs of acts inside one process, the latest first. 认领 and 放回 stand in the log only.

    A withdrawal stands in no process; it belongs to the stage of what it took back.
    """
    runs: list[tuple[tuple[Any, str], list[Row]]] = []
    for act in reversed(acts):
        if act["kind"] in QUIET or (act["automatic"] and not act["outcome_title"] and act["kind"] == "service"):
            continue
        place = (act["instance_id"], act["process"] or "")
        if act["instance_id"] is None and runs:  # beside the flow: stays in the stage that it fell into
            place = runs[-1][0]
        if not runs or (runs[-1][0] != place and not (act["kind"] == "withdraw" and runs[-1][0][0] == act["instance_id"])):
            runs.append((place, []))
        runs[-1][1].append(act)
    return [
        Stage(title=title_of(process), steps=[_step(act) for act in reversed(run)], first=run[0]["at"], last=run[-1]["at"])
        for (_, process), run in reversed(runs)
    ]


def _step(act: Row) -> Step:
    opened = act["task_opened_at"]
    returned = act["kind"] == "return" or act["outcome"] == "disagree" or (act["outcome_title"] or "").startswith(("退回", "不同意", "不予"))
    return Step(
        act_id=act["id"], person=act["actor_name"], post=act["actor_post"], light="late" if returned else LIGHTS.get(act["kind"], "ok"),
        word=act["outcome_title"] or WORDS.get(act["kind"], "办理"), opinion=act["opinion"], at=act["at"], took=act["at"] - opened if opened else None,
        automatic=act["automatic"], undone=act["undone"], on_behalf_of=act["on_behalf_of"],
    )


def levels(page: CasePage, instance_id: UUID) -> list[str]:
    """Scopes in which a step of the instance is open, and those above them, innermost first; the process itself is ''."""
    found = {""}
    for task in page.tasks:
        if task["instance_id"] == instance_id and task["scope"]:
            parts = task["scope"].split("/")
            found.update("/".join(parts[:depth]) for depth in range(1, len(parts) + 1))
    return sorted(found, key=lambda scope: (-scope.count("/") - bool(scope), scope))


def path_taken(page: CasePage, instance_id: UUID, scope: str) -> tuple[set[str], set[str]]:
    """(nodes and flows passed, nodes open now) of one level of an instance, undone acts left out; ids as drawn."""
    done: set[str] = set()
    for act in page.acts:
        if act["instance_id"] == instance_id and not act["undone"]:
            done.update(_inside(path, scope) for path in (*act["flows"], *act["nodes"]))
    here = {_next(task, scope) for task in page.tasks if task["instance_id"] == instance_id}
    return done - here - {""}, here - {""}


def _inside(path: str, scope: str) -> str:
    """The element of ``path`` when it stands directly in ``scope``, else nothing."""
    level, _, element = path.rpartition("/")
    return element if level == scope else ""


def _next(task: Row, scope: str) -> str:
    """The element of ``scope`` on which a token stands: the step itself, or the call activity that leads to it."""
    way = [*filter(None, task["scope"].split("/")), task["node"]]
    above = [*filter(None, scope.split("/"))]
    return way[len(above)] if way[: len(above)] == above and len(way) > len(above) else ""


def who_passed(page: CasePage, instance_id: UUID, scope: str) -> dict[str, Row]:
    """Node → the last act done on it in one level, newest wins."""
    found: dict[str, Row] = {}
    for act in page.acts:
        if act["instance_id"] == instance_id and act["scope"] == scope and act["node"] and act["kind"] in ("complete", "start") and not act["undone"]:
            found.setdefault(act["node"], act)
    return found


def posts_of_unit(connection: Connection, *, unit_id: UUID) -> list[tuple[UUID, str]]:
    """(unit id, post code) of every post in a unit."""
    return [(row.unit_id, row.code) for row in connection.execute(SQL["posts_of_unit"], {"unit_id": unit_id})]


def head(connection: Connection, *, case_id: UUID) -> Row:
    """What a case is, without asking for rights: the caller has."""
    return dict(connection.execute(SQL["head"], {"case_id": case_id}).mappings().one())


@dataclass(frozen=True, kw_only=True)
class Drafts:
    """The reader's own draft of a step, if any, and the names of others who fill in the same form."""

    data: Mapping[str, Any] | None
    rev: int
    saved_at: datetime | None
    others: Sequence[str]


def drafts(connection: Connection, *, actor: Actor, task_id: UUID, since: datetime) -> Drafts:
    """One statement; others count when they saved after ``since``."""
    rows = _rows(connection, "drafts", person=actor.person_id, task_id=task_id, since=since)
    own = next((row for row in rows if row["own"]), None)
    return Drafts(
        data=own["data"] if own else None, rev=own["rev"] if own else 0, saved_at=own["updated_at"] if own else None,
        others=[row["name"] for row in rows if not row["own"]],
    )


def people(connection: Connection, *, ids: Sequence[UUID]) -> dict[str, str]:
    """Person id as text → name."""
    return {str(row["id"]): row["name"] for row in _rows(connection, "people", ids=list(ids))} if ids else {}
