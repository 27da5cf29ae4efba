"""The case itself: state, number, further cases, links."""
from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from engine.access import parties
from engine.documents.numbers import give_number
from engine.kernel.errors import BusinessError, Invalid
from engine.kernel.ids import new_id
from engine.kernel.names import pack_of, qualify
from engine.runtime.answers import write_case_record
from engine.runtime.handlers import service_task
from engine.runtime.job_names import BEGIN_PROCESS
from engine.runtime.move_work import move_work
from engine.runtime.start_case import new_case
from engine.runtime.task_context import TaskContext
from engine.storage.tables.cases import case_file, case_link
from engine.storage.tables.organisation import unit as unit_table


@service_task(title="改变案件状态", mode="inline")
def set_case_state(context: TaskContext, *, state: str, hold: bool = False) -> None:
    """Put the case into ``state``, one of the states of its kind; a state listed as closed ends the case.

    With ``hold`` the case remembers the state it is in, for ``gc.release_case``. While it is held, what other
    processes set is what it will go back to, unless that ends the case.
    """
    kind = context.app.catalogue.kind(context.case["kind"])
    if state not in kind.states:
        raise BusinessError("unknown_state", f"{kind.title}没有“{state}”这种状态。")
    if hold:
        context.work.change_case(state=state, state_title=kind.states[state], state_before=context.case["state_before"] or context.case["state"])
    elif context.case["state_before"] and state not in kind.closed:
        context.work.change_case(state_before=state)
    else:
        closed_at = context.at if state in kind.closed else None
        context.work.change_case(state=state, state_title=kind.states[state], closed_at=closed_at, state_before=None)


@service_task(title="案件回到原来的状态", mode="inline")
def release_case(context: TaskContext, *, otherwise: str) -> dict[str, str]:
    """Put a held case back into the state it was in; ``otherwise`` where none is known. Result: ``state``."""
    kind = context.app.catalogue.kind(context.case["kind"])
    state = str(context.case["state_before"] or otherwise)
    if state not in kind.states:
        raise BusinessError("unknown_state", f"{kind.title}没有“{state}”这种状态。")
    context.work.change_case(state=state, state_title=kind.states[state], state_before=None)
    return {"state": state}


@service_task(title="案件编号", mode="inline")
def give_case_number(context: TaskContext) -> dict[str, str]:
    """Give the case the next number of its kind; a case that has one keeps it. Result: ``number``."""
    number = number_case(context, dict(context.case))
    context.work.change_case(number=number)
    return {"number": number}


def number_case(context: TaskContext, case: dict[str, Any]) -> str:
    """The next number for ``case`` by the rule of its kind, entered in the number book."""
    if case["number"]:
        return str(case["number"])
    kind = context.app.catalogue.kind(case["kind"])
    if kind.number is None:
        raise BusinessError("no_number_rule", f"{kind.title}没有编号规则。")
    rule = context.app.catalogue.number(kind.number)
    given = give_number(
        context.connection, rule=rule, unit_id=case["unit_id"], at=context.at, case_id=case["id"],
    )
    return given.text


@service_task(title="建立案件", mode="inline", reversible=False)
def open_case(
    context: TaskContext, *, kind: str, title: str = "", state: str = "", link: str = "became", number: bool = True, register: str = "",
    record: dict | None = None, unit: str = "",
) -> dict[str, Any]:
    """Open a case of ``kind`` from this one, with its handler, parties and place; linked as ``link``. With ``unit`` (id) that unit gets it, without a handler.

    Processes that packs declare under ``begins`` for the kind start on it by themselves, as of this act.
    Results: ``case_id``, ``number``. ``register`` names the register that gets the new case's record, ``record`` what stands in it.
    """
    here = dict(context.case)
    full = qualify(kind, pack_of(context.process))
    fresh = new_case(
        context.app, context.connection, kind=full, title=title or here["title"], unit_id=UUID(unit) if unit else here["unit_id"], actor=context.work.actor,
        at=context.at, parent_id=None, handler_id=None if unit else here["handler_id"], subject=here["subject"], address=here["address"], state=state or None,
    )
    if number:
        text = number_case(context, fresh)
        context.connection.execute(case_file.update().where(case_file.c.id == fresh["id"]).values(number=text, search=f"{here['search']} {text}".strip()))
        fresh["number"] = text
    _link(context, to_id=fresh["id"], kind=link)
    parties.copy_parties(context.connection, context.app.keys, from_case=context.case_id, to_case=fresh["id"], at=context.at)
    known = context.app.catalogue.kind(full)
    target = register or known.register
    if target:
        write_case_record(context.work, qualify(target, pack_of(context.process)), record or {}, case_id=fresh["id"])
    for begin in context.app.catalogue.begins(full):
        context.app.jobs.defer(context.connection, BEGIN_PROCESS, case_id=str(fresh["id"]), process=begin.process, at=context.at.isoformat())
    return {"case_id": str(fresh["id"]), "number": fresh["number"] or ""}


@service_task(title="关联案件", mode="inline")
def link_case(context: TaskContext, *, to: str, kind: str = "related") -> None:
    """Link this case to the case with id ``to`` (became, merged_into, related)."""
    target = UUID(str(to))
    if target == context.case_id:
        raise BusinessError("same_case", "不能把案件关联到它自己。")
    if context.connection.scalar(select(case_file.c.id).where(case_file.c.id == target)) is None:
        raise BusinessError("unknown_case", "要关联的案件不存在。")
    _link(context, to_id=target, kind=kind)


def _link(context: TaskContext, *, to_id: UUID, kind: str) -> None:
    values = {"id": new_id(), "from_id": context.case_id, "to_id": to_id, "kind": kind, "at": context.at}
    context.connection.execute(insert(case_link).values(values).on_conflict_do_nothing())
    context.work.undo.append({"op": "link", "id": str(values["id"])})


@service_task(title="变更办案机构", mode="inline", reversible=False)
def move_case(context: TaskContext, *, unit: str) -> None:
    """Hand the case to the unit with id ``unit``: the case, its own record, clocks and running processes, and steps waiting in a pool.

    Whoever handled it so far no longer does; steps in nobody's or a former colleague's hands go to the same posts of the new unit.
    """
    target = UUID(unit)
    place = context.connection.execute(select(unit_table.c.district_id, unit_table.c.path).where(unit_table.c.id == target, unit_table.c.active)).one_or_none()
    if place is None:
        raise Invalid("变更后的办案机构不存在，或者已经停用，请退回重选。")
    if target == context.case["unit_id"]:
        raise Invalid("变更后的办案机构就是现在的办案机构，请退回重选。")
    move_work(
        context.app, context.connection, case_id=context.case_id, to_unit=target, to_district=place.district_id, on=context.today, running=context.instance_id,
    )
    context.work.change_case(unit_id=target, district_id=place.district_id, handler_id=None)
    context.work.case["unit_path"] = place.path


@service_task(title="确定承办人", mode="inline")
def set_handler(context: TaskContext, *, person: str) -> None:
    """Make ``person`` (id) the 承办人 of the case; the act is refused when they don't hold the handler's role of its kind there."""
    role = context.app.catalogue.kind(context.case["kind"]).handler
    if role is not None and not context.holds(person, role):
        raise Invalid("这位同事不能承办本案：他不是办案机构的办案人员。", fields={"handler": "请选办案机构的办案人员。"})
    context.work.change_case(handler_id=UUID(person))


@service_task(title="写台账", mode="inline")
def write_record(context: TaskContext, *, register: str, values: dict) -> None:
    """Set ``values`` on this case's record of ``register``."""
    write_case_record(context.work, qualify(register, pack_of(context.process)), values)
