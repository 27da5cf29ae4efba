"""Everything a case consists of, as named members of a bundle: JSON tables, definitions, files."""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Connection, Table, select

from engine.access.anchors import as_line
from engine.access.audit_check import bodies, body_digest
from engine.runtime.application import Application
from engine.runtime.bpmn.journal import state_digest
from engine.runtime.commitments import ACT, with_commitments
from engine.storage.tables.cases import attachment, case_clock, case_file, case_link, case_party, clock_event
from engine.storage.tables.content import bundle, definition
from engine.storage.tables.documents import document, document_signature
from engine.storage.tables.organisation import audit, person, unit
from engine.storage.tables.proof import audit_anchor
from engine.storage.tables.registers import record_history
from engine.storage.tables.runtime import act, instance, submission, task

RUNNING = ("process", "decision", "form")
EXTENSION = {"process": "bpmn", "decision": "dmn", "form": "json"}
Row = Mapping[str, Any]


def plain(value: Any) -> Any:
    """A cell as JSON: instants in UTC with microseconds, bytes in hex, ids as text."""
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="microseconds")
        case UUID():
            return str(value)
        case bytes() | memoryview():
            return bytes(value).hex()
        case dict():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case None | bool() | int() | float() | str():
            return value
    return str(value)


def dump(value: Any) -> bytes:
    """Readable JSON, the same for the same content."""
    return orjson.dumps(plain(value), option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2)


class Collector:
    """Reads one case in one snapshot. ``revealed``: secret answers are opened in a member of their own."""

    def __init__(self, app: Application, connection: Connection, case_id: UUID, *, revealed: bool) -> None:
        self.app, self.connection, self.case_id, self.revealed = app, connection, case_id, revealed
        self.instances = self._rows(instance, instance.c.started_at)
        self.acts = self._rows(act, act.c.at, act.c.id)

    def members(self) -> Iterator[tuple[str, bytes]]:
        """(name, bytes) of every member but the manifest; files come one at a time."""
        yield "case.json", dump(self._case())
        yield "instances.json", dump([self._instance(row) for row in self.instances])
        yield "acts.json", dump([{**{name: row[name] for name in ACT}, "undone_by": row["undone_by"]} for row in self.acts])
        yield from self._states()
        yield "tasks.json", dump([self._without(row, "held") for row in self._rows(task, task.c.opened_at, task.c.id)])
        yield from self._submissions()
        yield "parties.json", dump([self._party(row) for row in self._rows(case_party, case_party.c.at)])
        yield "clocks.json", dump(self._clocks())
        yield "links.json", dump(self._rows_where(case_link, (case_link.c.from_id == self.case_id) | (case_link.c.to_id == self.case_id), case_link.c.at))
        yield "records.json", dump(self._rows_where(record_history, record_history.c.act_id.in_([row["id"] for row in self.acts]), record_history.c.at))
        yield from self._content()
        yield from self._documents()
        yield from self._attachments()
        yield "audit.json", dump(self._audit())

    def _rows(self, table: Table, *order: Any) -> list[Row]:
        return self._rows_where(table, table.c.case_id == self.case_id, *order)

    def _rows_where(self, table: Table, condition: Any, *order: Any) -> list[Row]:
        return [dict(row) for row in self.connection.execute(select(table).where(condition).order_by(*order)).mappings()]

    @staticmethod
    def _without(row: Row, *names: str) -> dict[str, Any]:
        return {name: value for name, value in row.items() if name not in names}

    def _case(self) -> Row:
        query = select(case_file, unit.c.name.label("unit_name"), person.c.name.label("handler_name")).join(unit, unit.c.id == case_file.c.unit_id)
        row = self.connection.execute(query.outerjoin(person, person.c.id == case_file.c.handler_id).where(case_file.c.id == self.case_id)).mappings().one()
        return self._without(dict(row), "finder", "search")

    def _instance(self, row: Row) -> Row:
        return {**self._without(row, "state", "people"), "state_digest": state_digest(row["state"])}

    def _states(self) -> Iterator[tuple[str, bytes]]:
        """States that no act of the case led to (a running case moved to another version): replay goes on from them."""
        moves = [row["moves"] for row in self.acts if row["moves"]]
        led = {one["end"] for one in moves if one["base"] != one["end"]}
        wanted = {one["base"] for one in moves if one["base"]} - led
        for state in [*(row["snapshot"] for row in self.acts if row["snapshot"]), *(row["state"] for row in self.instances)]:
            digest = state_digest(bytes(state))
            if digest in wanted:
                wanted.discard(digest)
                yield f"states/{digest}", bytes(state)

    def _submissions(self) -> Iterator[tuple[str, bytes]]:
        openings: dict[str, dict[str, dict[str, str]]] = {}
        rows = []
        for row in self._rows(submission, submission.c.at, submission.c.id):
            mine: dict[str, dict[str, str]] = {}
            rows.append({**row, "data": with_commitments(self.app.keys, str(row["id"]), row["data"], openings=mine)})
            if mine:
                openings[str(row["id"])] = mine
        yield "submissions.json", dump(rows)
        if self.revealed:
            yield "openings.json", dump(openings)

    def _party(self, row: Row) -> Row:
        return {**row, "snapshot": self._without(row["snapshot"], "sealed")}

    def _clocks(self) -> Row:
        clocks = self._rows(case_clock, case_clock.c.id)
        ids = [row["id"] for row in clocks]
        return {"clocks": clocks, "events": self._rows_where(clock_event, clock_event.c.clock_id.in_(ids), clock_event.c.at, clock_event.c.id)}

    def _content(self) -> Iterator[tuple[str, bytes]]:
        """The bundles the instances were pinned to, and what ran: diagrams, decisions, forms."""
        wanted = {row["bundle_id"] for row in self.instances} | {UUID(row["moves"]["bundle"]) for row in self.acts if row["moves"]}
        bundles = self._rows_where(bundle, bundle.c.id.in_(wanted), bundle.c.created_at)
        yield "bundles.json", dump(bundles)
        ids = {id for row in bundles for name, id in row["members"].items() if name.partition(":")[0] in RUNNING}
        index = []
        for row in self._definitions(sorted(ids)):
            name = f"content/{row['id']}.{EXTENSION[row['kind']]}"
            index.append({**self._without(row, "content", "compiled", "meta"), "file": name})
            yield name, bytes(row["content"])
        yield "definitions.json", dump(index)

    def _definitions(self, ids: Sequence[str]) -> Iterator[Row]:
        for start in range(0, len(ids), 50):
            yield from self._rows_where(definition, definition.c.id.in_([UUID(id) for id in ids[start : start + 50]]), definition.c.id)

    def _documents(self) -> Iterator[tuple[str, bytes]]:
        rows, index = self._rows(document, document.c.created_at, document.c.id), []
        signatures = self._rows_where(document_signature, document_signature.c.document_id.in_([row["id"] for row in rows]), document_signature.c.id)
        for row in rows:
            sm3 = row["sealed_sm3"] or row["pdf_sm3"]
            name = f"documents/{row['id']}.pdf" if sm3 else None
            index.append({**self._without(row, "data"), "file": name, "signatures": [one for one in signatures if one["document_id"] == row["id"]]})
            if name:
                yield name, self.app.blobs.get(sm3)
        yield "documents.json", dump(index)

    def _attachments(self) -> Iterator[tuple[str, bytes]]:
        rows, given = self._rows(attachment, attachment.c.uploaded_at, attachment.c.id), set()
        for row in rows:
            if row["sm3"] not in given and self.app.blobs.exists(row["sm3"]):
                given.add(row["sm3"])
                yield f"attachments/{row['sm3']}", self.app.blobs.get(row["sm3"])
        yield "attachments.json", dump([{**row, "file": f"attachments/{row['sm3']}" if row["sm3"] in given else None} for row in rows])

    def _audit(self) -> Row:
        """The case's records, and for each stretch of a chain the digests that lead from them to the next anchor."""
        rows = self.connection.execute(select(audit.c.chain, audit.c.seq).where(audit.c.case_id == self.case_id).order_by(audit.c.chain, audit.c.seq)).all()
        anchors = self.connection.execute(select(audit_anchor).order_by(audit_anchor.c.seq)).all()
        mine: dict[str, list[int]] = {}
        for chain, seq in rows:
            mine.setdefault(chain, []).append(seq)
        stretches = [one for chain, seqs in mine.items() for one in self._stretches(chain, seqs, anchors)]
        used = {one["anchor"] for one in stretches}
        return {
            "records": [record for one in stretches for record in one.pop("records")], "stretches": stretches,
            "anchors": [as_line(row) for row in anchors if row.seq in used],
        }

    def _stretches(self, chain: str, seqs: list[int], anchors: Iterable[Any]) -> Iterator[dict[str, Any]]:
        heads = sorted({(seq, anchor.seq) for anchor in anchors for name, seq, _ in anchor.heads if name == chain})
        left = list(seqs)
        while left:
            reached = next(((seq, number) for seq, number in heads if seq >= left[0]), None)
            if reached is None:
                return
            inside = {seq for seq in left if seq <= reached[0]}
            left = [seq for seq in left if seq > reached[0]]
            yield self._stretch(chain, min(inside), reached, inside)

    def _stretch(self, chain: str, first: int, reached: tuple[int, int], inside: set[int]) -> dict[str, Any]:
        query = select(audit.c.hash).where(audit.c.chain == chain, audit.c.seq == first - 1)
        before = self.connection.execute(query).scalar_one_or_none() or bytes(32)
        records, digests = [], []
        for body, _ in bodies(self.connection, chain, first, reached[0]):
            digests.append(body_digest(body).hex())
            if body[1] in inside:
                records.append(body)
        return {"chain": chain, "first": first, "before": bytes(before).hex(), "digests": digests, "anchor": reached[1], "records": records}
