"""The job that makes the cases of a stretch of a fan-out's items: all in one transaction, with a statement per table."""
from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Connection, RowMapping, bindparam, insert, select, update

from engine.expressions.builtin_temporal import AT
from engine.kernel.errors import GuichengError
from engine.kernel.ids import new_id
from engine.packs.library import Bundle
from engine.runtime.advance import advance
from engine.runtime.application import Application
from engine.runtime.begin import request_hash
from engine.runtime.bpmn.machine import Machine
from engine.runtime.bpmn.values import MAX_FACT_BYTES
from engine.runtime.bpmn.waits import Waits
from engine.runtime.bundles import process_for
from engine.runtime.decide import decider
from engine.runtime.receiving_unit import receiving_unit
from engine.runtime.settle_many import settle_many, share
from engine.runtime.work import Row, Work
from engine.storage.tables.cases import case_file
from engine.storage.tables.organisation import unit
from engine.storage.tables.runtime import instance
from engine.storage.tables.waiting import fanout, fanout_item


def make_items(app: Application, *, fanout_id: str, first: int, last: int) -> int:
    """Make the cases of the items from ``first`` to before ``last`` that have none yet; how many.

    Nothing while the parent is suspended (resuming it asks again) or once the fan-out is over.
    """
    at = app.clock.now()
    with app.db.begin() as connection:
        row = connection.execute(select(fanout).where(fanout.c.id == UUID(fanout_id)).with_for_update(read=True)).mappings().one()
        if row["status"] != "open" or row["suspended"]:
            return 0
        wanted = select(fanout_item.c.index, fanout_item.c.item, fanout_item.c.title).where(
            fanout_item.c.fanout_id == row["id"], fanout_item.c.index >= first, fanout_item.c.index < last, fanout_item.c.status == "planned"
        ).order_by(fanout_item.c.index).with_for_update()
        items = connection.execute(wanted).mappings().all()
        if items:
            _make(app, connection, row, items, at)
        return len(items)


def _make(app: Application, connection: Connection, row: RowMapping, items: Any, at: datetime) -> None:
    parent = dict(connection.execute(
        select(case_file, instance.c.bundle_id, instance.c.id.label("instance_id"), instance.c.started_by, unit.c.path.label("unit_path"))
        .join(instance, instance.c.case_id == case_file.c.id).join(unit, unit.c.id == case_file.c.unit_id).where(instance.c.id == row["instance_id"])
    ).mappings().one())
    pinned, places = app.library.bundle(parent["bundle_id"]), _Places(connection, parent)
    cases = [_case(places, app, pinned, row, parent, item, at) for item in items]
    connection.execute(insert(case_file), [{name: value for name, value in case.items() if name != "unit_path"} for case in cases])
    instances = [_instance(pinned, row, parent, case, at) for case in cases]
    connection.execute(insert(instance), instances)
    works = [_begun(app, connection, pinned, row, item, case, one, at) for item, case, one in zip(items, cases, instances, strict=True)]
    bulk = share(works)
    _mark(connection, row["id"], works)
    for work in works:
        advance(work)
    settle_many(connection, works, bulk)


class _Places:
    """Units that items go to, each looked up once: id → (district, path)."""

    def __init__(self, connection: Connection, parent: Row) -> None:
        self.connection, self.parent = connection, parent
        self.found: dict[str, UUID] = {}
        self.rows: dict[UUID, tuple[UUID | None, str]] = {parent["unit_id"]: (parent["district_id"], parent["unit_path"])}

    def of(self, text: str, facts: Mapping[str, Any]) -> UUID:
        """The unit that ``gc:unit`` names for one item; the parent's where it names none that there is."""
        if not text:
            return self.parent["unit_id"]
        key = f"{text}\0{facts!r}" if text.startswith("=") else text
        if key not in self.found:
            try:
                self.found[key] = receiving_unit(self.connection, text, facts, fallback=self.parent["unit_id"])
            except GuichengError:
                self.found[key] = self.parent["unit_id"]
            if self.found[key] not in self.rows:
                place = self.connection.execute(select(unit.c.district_id, unit.c.path).where(unit.c.id == self.found[key])).one()
                self.rows[self.found[key]] = (place.district_id, place.path)
        return self.found[key]


def _case(places: _Places, app: Application, pinned: Bundle, row: RowMapping, parent: Row, item: RowMapping, at: datetime) -> Row:
    loop = process_for(app, pinned, row["process"]).nodes[row["node"]].loop
    assert loop is not None
    seen = {**({loop.item: item["item"]} if loop.item else {}), "loopCounter": item["index"] + 1, AT: at}
    unit_id = places.of(loop.unit, {**row["facts"], **seen} if "=" in loop.unit else seen)
    district_id, path = places.rows[unit_id]
    label = item["title"] or f"第 {item['index'] + 1} 项"
    return {
        "id": new_id(), "kind": parent["kind"], "number": None, "title": f"{parent['title']}：{label}", "subject": parent["subject"], "address": parent["address"],
        "state": parent["state"], "state_title": parent["state_title"], "unit_id": unit_id, "district_id": district_id, "handler_id": None,
        "parent_id": parent["id"], "tags": [], "search": "", "created_by": parent["started_by"], "created_at": at, "updated_at": at, "closed_at": None, "unit_path": path,
    }


def _instance(pinned: Bundle, row: RowMapping, parent: Row, case: Row, at: datetime) -> Row:
    return {
        "id": new_id(), "case_id": case["id"], "bundle_id": pinned.id, "definition_id": pinned.member("process", row["process"]), "process": row["process"],
        "title": row["title"], "status": "running", "rev": 0, "state": b"", "started_by": parent["started_by"], "started_at": at, "updated_at": at,
        "unit_id": case["unit_id"], "district_id": case["district_id"], "parent_instance_id": parent["instance_id"],
    }


def _begun(
    app: Application, connection: Connection, pinned: Bundle, row: RowMapping, item: RowMapping, case: Row, one: Row, at: datetime
) -> Work:
    key = f"fanout:{row['id']}:{item['index']}"
    facts = {**_handed(row["facts"]), "case_id": str(case["id"]), "unit_id": str(case["unit_id"])}
    machine = Machine.start_item(
        process_for(app, pinned, row["process"]), row["node"], row["body"], facts, item["item"], item["index"], now=at, decide=decider(app, pinned, at)
    )
    work = Work(
        app=app, connection=connection, kind="start", key=key, at=at, actor=None, case=case, instance=one, machine=machine, waits_before=Waits(),
        request_hash=request_hash(item=key),
    )
    work.outcome_title = "分办"
    return work


def _handed(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What an item sees of the facts: long lists, such as the one that was sent out, stay with the parent."""
    return {name: value for name, value in facts.items() if not isinstance(value, list) or len(orjson.dumps(value)) <= MAX_FACT_BYTES}


def _mark(connection: Connection, fanout_id: UUID, works: list[Work]) -> None:
    """The items run, each in its case; before anything moves, so that one that is over at once can be counted."""
    rows = [{"i": int(work.key.rsplit(":", 1)[1]), "c": work.case["id"], "n": work.instance["id"]} for work in works]
    mark = update(fanout_item).where(fanout_item.c.fanout_id == fanout_id, fanout_item.c.index == bindparam("i"))
    connection.execute(mark.values(status="running", case_id=bindparam("c"), instance_id=bindparam("n")), rows)
