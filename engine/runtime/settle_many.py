"""Several acts of the platform itself in one transaction: what ``settle`` writes for one, with a statement per table for all.

The acts share a ``Bulk`` from before they move (``share``); cases are locked before any of them moves, audit heads last and in order.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, text, update
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA

from engine.access import audit
from engine.runtime.bulk import Bulk
from engine.runtime.settle import act_row, arrange, event_of, status_of, trail_of
from engine.runtime.work import ActResult, Work
from engine.storage.tables.cases import case_file
from engine.storage.tables.organisation import notice
from engine.storage.tables.runtime import act, event_feed

_STATES = text("""
    UPDATE instance SET rev = instance.rev + 1, state = made.state, status = made.status, updated_at = :at,
           ended_at = CASE WHEN made.status IN ('completed', 'cancelled') THEN CAST(:at AS timestamptz) END
      FROM unnest(CAST(:ids AS uuid[]), :states, CAST(:statuses AS text[])) AS made (id, state, status)
     WHERE instance.id = made.id""").bindparams(bindparam("states", type_=ARRAY(BYTEA)))


def share(works: Sequence[Work]) -> Bulk:
    """Let the acts write together and look up the holders of a role once."""
    bulk: Bulk = Bulk()
    pools: dict[Any, Any] = {}
    for work in works:
        work.batch, work.pools = bulk, pools
    return bulk


def settle_many(connection: Connection, works: Sequence[Work], bulk: Bulk) -> None:
    """Write everything that the acts changed and a history entry for each. Their ``at`` is the same."""
    records: dict[str, list[dict[str, Any]]] = {}
    for work in works:
        arrange(work)
        work.instance.update(rev=work.instance["rev"] + 1, state=work.machine.dump(), status=status_of(work, work.machine.completed))
        result = ActResult(act_id=work.act_id, case_id=work.case["id"], instance_id=work.instance["id"], next_tasks=tuple(work.opened), completed=work.machine.completed)
        row = act_row(work, result)
        bulk.insert(notice, work.notices)
        bulk.insert(act, row)
        bulk.insert(event_feed, work.events or [event_of(work)])
        records.setdefault(work.chain, []).append({
            "at": work.at, "actor_id": row["actor_id"], "actor_name": row["actor_name"], "action": f"act.{work.kind}", "object": str(work.act_id),
            "case_id": work.case["id"], "detail": trail_of(work, row),
        })
    _write_instances(connection, works)
    bulk.flush(connection)
    for chain in sorted(records):
        audit.append_all(connection, chain=chain, records=records[chain])


def _write_instances(connection: Connection, works: Sequence[Work]) -> None:
    at = works[0].at
    connection.execute(_STATES, {
        "at": at, "ids": [work.instance["id"] for work in works], "states": [work.instance["state"] for work in works],
        "statuses": [work.instance["status"] for work in works],
    })
    connection.execute(update(case_file).where(case_file.c.id.in_([work.case["id"] for work in works])).values(updated_at=at))
    for work in works:
        if work.case_changes:
            connection.execute(update(case_file).where(case_file.c.id == work.case["id"]).values(work.case_changes))
