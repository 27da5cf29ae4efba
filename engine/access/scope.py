"""Which cases an actor may see, decided in the query: a UNION of narrow selects, never an OR; full scope adds nothing.

A case is seen by who leads or works in an office above its unit, who handles or opened it, who was given a look at it,
and who has a step of it in hand, is asked about one, stands in for who has, or finds one in the pool of one of their posts.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    FromClause,
    Select,
    exists,
    literal,
    or_,
    select,
    true,
    tuple_,
    union,
    union_all,
)

from engine.access.actors import LEADER_POSTS, SECTION_POSTS, Actor, holds_on
from engine.kernel.clock import SHANGHAI
from engine.kernel.errors import NotFound
from engine.storage.tables.cases import case_file, case_grant
from engine.storage.tables.organisation import post, unit
from engine.storage.tables.runtime import deputy, instance, task, task_candidate, task_signer

S = TypeVar("S", bound=Select[Any])
BELOW = "本单位和下属单位的案件"


def visible_cases(actor: Actor) -> Select[Any] | CompoundSelect[Any]:
    """The ids of all cases that ``actor`` may see, as a select of one column."""
    return select(case_file.c.id) if actor.sees_everything else union(*_ways(actor))


def sees_case(actor: Actor, case_id: ColumnElement[UUID], *, of: FromClause) -> ColumnElement[bool]:
    """Whether ``actor`` may see the case of a row of ``of``: each way is walked from that case, however many cases the actor sees.

    For reading one row; for lists ``visible_cases`` walks from the actor.
    """
    if actor.sees_everything:
        return true()
    return union_all(*(way.where(way.selected_columns[0] == case_id).correlate(of) for way in _ways(actor))).exists()


def restrict(statement: S, actor: Actor, *, case_id: Any = case_file.c.id) -> S:
    """``statement`` narrowed to cases that ``actor`` may see; unchanged for people with full scope."""
    return statement if actor.sees_everything else statement.where(case_id.in_(visible_cases(actor)))


def first_cases(statement: Select[Any], actor: Actor, *, limit: int, newest: bool = True) -> Select[Any]:
    """At most ``limit`` of the cases of ``statement`` (id and updated_at of case_file) that ``actor`` may see; those changed last, in that order, if ``newest``.

    Each way gives as many at most, found by its own index: what a head sees is never gathered whole, however much it is, and a
    small unit's few old cases aren't looked for among everybody's new ones.
    """
    c = case_file.c

    def few(chosen: Select[Any]) -> Select[Any]:
        return (chosen.order_by(c.updated_at.desc(), c.id.desc()) if newest else chosen).limit(limit)

    if actor.sees_everything:
        return few(statement)
    parts = [few(statement.where(_over_cases(way))) for what, way in ways(actor) if what != BELOW]
    root = scope_root(actor)
    if root is not None:  # of a whole branch the newest are simply found among all
        parts.append(few(statement.where(c.unit_id.in_(_below(root)))) if root.count("/") == 1 else _of_each_unit(few, statement, root).limit(None if newest else limit))
    both = union_all(*(select(part.subquery()) for part in parts)).subquery()
    found = select(both).distinct()
    return (found.order_by(both.c.updated_at.desc(), both.c.id.desc()) if newest else found).limit(limit)


def _of_each_unit(few: Callable[[Select[Any]], Select[Any]], statement: Select[Any], root: str) -> Select[Any]:
    """Some of every unit below ``root`` by itself."""
    places = _below(root).subquery()
    one = few(statement.where(case_file.c.unit_id == places.c.id)).lateral()
    return select(one.c.id, one.c.updated_at).select_from(places.join(one, literal(True)))


def _over_cases(way: Select[Any]) -> Any:
    """A way as a condition over case_file."""
    clause = way.whereclause
    return clause if way.get_final_froms() == [case_file] and clause is not None else case_file.c.id.in_(way)


def _below(root: str) -> Select[Any]:
    return select(unit.c.id).where(unit.c.path.like(root.replace("_", r"\_").replace("%", r"\%") + "%"))


def may_see_case(connection: Connection, actor: Actor, case_id: UUID) -> bool:
    """True when the case exists and ``actor`` may see it, in one statement."""
    if actor.sees_everything:
        return bool(connection.scalar(select(exists().where(case_file.c.id == case_id))))
    ways = union_all(*(way.where(way.selected_columns[0] == case_id) for way in _ways(actor))).subquery()
    return bool(connection.scalar(select(exists(select(literal(1)).select_from(ways)))))


def require_case(connection: Connection, actor: Actor, case_id: UUID, *, missing: str = "没有找到这个案件，或您无权查看。") -> None:
    """Raise NotFound unless ``actor`` may see the case: what may not be seen looks like what is not there.

    ``missing`` is what the reader is told; where something of the case was asked for, the sentence for one that isn't there.
    """
    if not may_see_case(connection, actor, case_id):
        raise NotFound(missing)


def scope_root(actor: Actor) -> str | None:
    """The unit path below which ``actor`` sees every case by post; None when their post gives no such view.

    A head sees their own unit and what is below; people of a bureau's offices see their bureau, at city level only the
    heads do.
    """
    if actor.post_code in LEADER_POSTS:
        return actor.agency_path
    if actor.post_code in SECTION_POSTS:
        return actor.agency_path if actor.district_id is not None else actor.unit_path
    return None


def ways(actor: Actor) -> list[tuple[str, Select[Any]]]:
    """(what it is called, the ids of cases) of every way by which ``actor`` sees cases; full scope is not among them."""
    me = actor.person_id
    found = [
        ("承办", select(case_file.c.id).where(case_file.c.handler_id == me)),
        ("发起", select(case_file.c.id).where(case_file.c.created_by == me)),
        ("经办过、授权查看或抄送", select(case_grant.c.case_id).where(case_grant.c.person_id == me, _grant_runs(actor))),
        ("手上有待办", select(task.c.case_id).where(task.c.assignee_id == me, task.c.status == "open")),
        ("被征求意见", select(task_signer.c.case_id).where(task_signer.c.person_id == me, task_signer.c.status == "open")),
    ]
    if actor.on is not None and actor.stands_in:
        found += [("代办别人的待办", _of_principals(actor)), ("代办别人可以认领的任务", _claimable_by_principals(actor))]
    if actor.posts:
        pool = task_candidate.join(task, task.c.id == task_candidate.c.task_id)
        mine = tuple_(task_candidate.c.unit_id, task_candidate.c.post).in_(actor.posts)
        found.append(("岗位的待领任务", select(task.c.case_id).select_from(pool).where(task_candidate.c.open, mine)))
    root = scope_root(actor)
    if root is not None:
        found.append((BELOW, select(case_file.c.id).where(case_file.c.unit_id.in_(_below(root)))))
    return found


def _ways(actor: Actor) -> list[Select[Any]]:
    return [way for _, way in ways(actor)]


def _of_principals(actor: Actor) -> Select[Any]:
    """Steps of those whose deputy ``actor`` is today."""
    held = deputy.join(task, (task.c.assignee_id == deputy.c.person_id) & (task.c.status == "open") & task.c.deputies).join(instance, instance.c.id == task.c.instance_id)
    return select(task.c.case_id).select_from(held).where(_stands_in(actor))


def _claimable_by_principals(actor: Actor) -> Select[Any]:
    """Steps in the pools of those whose deputy ``actor`` is today."""
    assert actor.on is not None
    pools = (
        deputy.join(post, post.c.person_id == deputy.c.person_id)
        .join(task_candidate, (task_candidate.c.unit_id == post.c.unit_id) & (task_candidate.c.post == post.c.code) & task_candidate.c.open)
        .join(task, (task.c.id == task_candidate.c.task_id) & task.c.deputies).join(instance, instance.c.id == task.c.instance_id)
    )
    return select(task.c.case_id).select_from(pools).where(_stands_in(actor), holds_on(actor.on))


def _stands_in(actor: Actor) -> Any:
    """The condition that a ``deputy`` row, for the process at hand, is one of ``actor`` and in force today."""
    return (
        (deputy.c.deputy_id == actor.person_id) & (deputy.c.from_on <= actor.on) & (deputy.c.until_on >= actor.on) & deputy.c.ended_at.is_(None)
        & or_(deputy.c.processes == [], deputy.c.processes.has_key(instance.c.process))
    )


def _grant_runs(actor: Actor) -> Any:
    """A grant ends at midnight after its last day, so the legal date of the actor decides."""
    if actor.on is None:
        return case_grant.c.until.is_(None)
    return or_(case_grant.c.until.is_(None), case_grant.c.until > datetime.combine(actor.on, time(), SHANGHAI))
