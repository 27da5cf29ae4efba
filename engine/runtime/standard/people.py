"""Who holds a role, and who sits in a bureau: what a diagram asks before it lets several people do one step, or lists them."""
from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select, true

from engine.access.actors import LEADER_POSTS, holds_on
from engine.access.assignment import pool
from engine.kernel.errors import BusinessError
from engine.kernel.names import pack_of, qualify
from engine.runtime.handlers import service_task
from engine.runtime.task_context import TaskContext
from engine.storage.tables.organisation import person, post, unit

MOST_LISTED = 2_000


@service_task(title="按角色找人", mode="inline", pure=True)
def people_of(context: TaskContext, *, role: str, unit: str = "", may_be_nobody: bool = False) -> dict[str, list[str]]:
    """Everybody who holds ``role`` for this case today, or in the unit with the id ``unit``. Result: ``people``, ids in the order of their names.

    Error ``nobody`` when there is none, unless ``may_be_nobody``.
    """
    found = pool(
        context.connection, role=qualify(role, pack_of(context.process)), case_unit_id=context.case["unit_id"], on=context.today,
        unit_id=UUID(unit) if unit else None,
    )
    if not found.people and not may_be_nobody:
        raise BusinessError("nobody", f"没有人担任角色“{role}”，请先在组织机构里配好人员。")
    return {"people": [str(id) for id, _ in found.people]}


@service_task(title="列出本局人员", mode="inline", pure=True)
def list_people(context: TaskContext, *, leaders: bool = False, most: int = 500) -> dict[str, Any]:
    """Everybody who holds a post today in the case's own bureau (a district's; at city level its own units), or with ``leaders`` only heads, by the tree.

    Results: ``people``, a list of {person, name, unit, unit_name, post, code}, at most ``most`` (2,000 and never more), one entry for each post;
    ``count``, how many there are in all; ``agency``, the bureau's name. Telephone numbers stay sealed.
    """
    home = context.unit(str(context.case["unit_id"]))
    bureau = unit.c.district_id == home["district_id"] if home["district_id"] else unit.c.district_id.is_(None)
    query = (
        select(person.c.id, person.c.name, unit.c.id.label("unit_id"), unit.c.name.label("unit_name"), post.c.title, post.c.code)
        .select_from(post.join(person, person.c.id == post.c.person_id).join(unit, unit.c.id == post.c.unit_id))
        .where(bureau, unit.c.bureau == home["bureau"], unit.c.active, person.c.active, holds_on(context.today), post.c.code.in_(sorted(LEADER_POSTS)) if leaders else true())
        .order_by(unit.c.path, post.c.code.not_in(sorted(LEADER_POSTS)), person.c.pinyin, post.c.id).limit(MOST_LISTED)
    )
    rows = context.connection.execute(query).all()
    people = [{"person": str(row.id), "name": row.name, "unit": str(row.unit_id), "unit_name": row.unit_name, "post": row.title, "code": row.code} for row in rows]
    agency = context.unit(str(home["district_id"]))["name"] if home["district_id"] else home["name"]
    return {"people": people[: min(int(most), MOST_LISTED)], "count": len(people), "agency": agency}
