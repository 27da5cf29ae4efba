"""What the walks of 违法建筑 fill in, and how they read registers."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select

from engine.kernel.ids import new_id
from engine.registers.catalogue import get_register
from engine.registers.write_record import write_record
from engine.storage.tables.cases import case_file
from tests.packs.walk import Walker

PACK = "illegal_building"


def intake(**changes: Any) -> dict[str, Any]:
    return {
        "title": "东街道某路 12 号楼顶搭建", "kind": "new", "address": "东街道某路 12 号", "location": {"lon": 121.45, "lat": 31.23}, "area": 36.5, "structure": "panel",
        "source": "found", "found_on": "2026-11-18", "owner": "某某", "owner_phone": "13800000000", **changes,
    }


def new_point(walk: Walker, *, login: str = "a1_street", **changes: Any) -> UUID:
    """A point registered by the street; its id."""
    walk.start(login, f"{PACK}.point_intake", intake(**changes))
    id: UUID = newest(walk, "illegal_building.point")["id"]
    return id


def make(walk: Walker, register: str, *, unit: str = "CG-A-J1", **values: Any) -> UUID:
    """A record written straight into a register, as an import would."""
    declared, table = get_register(walk.app.library, register)
    id, owner = new_id(), walk.bureau.units[unit]
    district = walk.bureau.units[unit[:4]] if unit.count("-") > 1 else None
    with walk.app.db.begin() as connection:
        write_record(
            connection, register=declared, table=table, record_id=id, values=values, case_id=None, unit_id=owner, district_id=district, keys=walk.app.keys, at=walk.at,
            by_id=None, by_name="导入",
        )
    return id


def point(walk: Walker, *, unit: str = "CG-A-J1", **changes: Any) -> UUID:
    """A point as an import makes it, quicker than by registering."""
    values = {"title": "西侧加建", "kind": "stock", "status": "open", "street": str(walk.bureau.units[unit]), "address": "某路 8 号", "area": 20, "found_on": "2026-10-01", **changes}
    return make(walk, "illegal_building.point", unit=unit, **values)


def record(walk: Walker, register: str, id: UUID | str) -> Mapping[str, Any]:
    return next(row for row in records(walk, register, live=False) if row["id"] == UUID(str(id)))


def records(walk: Walker, register: str, *, live: bool = True) -> list[Mapping[str, Any]]:
    _, table = get_register(walk.app.library, register)
    with walk.app.db.connect() as connection:
        query = select(table).order_by(table.c.created_at, table.c.id)
        return [dict(row) for row in connection.execute(query.where(table.c.deleted_at.is_(None)) if live else query).mappings()]


def newest(walk: Walker, register: str) -> Mapping[str, Any]:
    return records(walk, register)[-1]


def state(walk: Walker) -> str:
    return str(walk.case()["state_title"])


def items(walk: Walker) -> list[UUID]:
    """The cases of the items that the walker's case sent out, once they are made, by title."""
    walk.run_jobs()
    with walk.app.db.connect() as connection:
        return list(connection.scalars(select(case_file.c.id).where(case_file.c.parent_id == walk.case_id).order_by(case_file.c.title)))
