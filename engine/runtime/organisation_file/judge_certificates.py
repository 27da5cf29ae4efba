"""Rows of certificates; the newest 执法证 of somebody also stands on the person."""
from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from engine.kernel.ids import new_id
from engine.runtime.organisation_file.judge_people import find_person
from engine.runtime.organisation_file.known import Known, Row
from engine.runtime.organisation_file.lines import Change, Judged, Line
from engine.runtime.organisation_file.shape import CERTIFICATES
from engine.runtime.organising.certificates import KINDS


def judge_certificates(judged: Judged, known: Known, fresh: Collection[str], *, at: datetime) -> None:
    """Judge the sheet against what is registered and against its own rows; ``fresh``: numbers of people whom the file brings."""
    owners = {(kind, number): person_id for person_id, kind, number in known.certificates}
    names = {row["id"]: row["name"] for row in known.people.values()}
    new = {known.people[number]["id"] for number in fresh}
    touched: dict[UUID, Row] = {}
    seen: dict[tuple[str, str], int] = {}
    for line in judged.lines.get(CERTIFICATES.title, ()):
        if line.wrong or (who := find_person(line, known)) is None or line.wrong:
            continue
        key = (line.text("kind"), line.text("serial"))
        if seen.setdefault(key, line.number) != line.number:
            line.fault("serial", f"第 {seen[key]} 行已经是这个证号。")
        elif owners.get(key, who["id"]) != who["id"]:
            line.fault("serial", f"证号 {key[1]} 已登记在{names.get(owners[key], '别人')}名下。")
        if line.get("until_on") and line.get("until_on") < line.get("from_on"):
            line.fault("until_on", "不能早于有效期起。")
        if not line.wrong:
            _one(judged, line, who, known, at)
            touched[who["id"]] = who
    held: dict[UUID, list[Row]] = known.certificates_of()
    for who in touched.values():
        _stand_on_person(judged, who, held[who["id"]], who["id"] in new, at)


def _one(judged: Judged, line: Line, who: Row, known: Known, at: datetime) -> None:
    key = (who["id"], line.text("kind"), line.text("serial"))
    until, start = line.get("until_on"), line.get("from_on")
    said = f"{who['name']}的{KINDS[key[1]]} {key[2]}，{start} 至 {until or '长期'}"
    old = known.certificates.get(key)
    if old is None:
        row: Row = {"id": new_id(), "person_id": who["id"], "number": key[2], "kind": key[1], "valid_from": start, "valid_until": until, "suspended_from": None, "reason": "", "updated_at": at}
        known.certificates[key] = row
        judged.changes.append(Change(sheet=line.sheet, row=line.number, table="certificate", id=row["id"], before=None, after=row, text=f"登记{said}"))
        return
    wanted: dict[str, Any] = {"valid_from": start, "valid_until": until or old["valid_until"]}
    changed = {name: value for name, value in wanted.items() if value != old[name]}
    if changed:
        before = {name: old[name] for name in (*changed, "updated_at")}
        judged.changes.append(Change(sheet=line.sheet, row=line.number, table="certificate", id=old["id"], before=before, after={**changed, "updated_at": at}, text=f"改{said}"))
        old.update(changed)


def _stand_on_person(judged: Judged, who: Row, held: list[Row], new: bool, at: datetime) -> None:
    newest = max((row for row in held if row["kind"] == "enforcement"), key=lambda row: row["valid_from"], default=None)
    if newest is None or (newest["number"], newest["valid_until"]) == (who["certificate_number"], who["certificate_until"]):
        return
    stands = {"certificate_number": newest["number"], "certificate_until": newest["valid_until"]}
    before = {name: who[name] for name in (*stands, "updated_at")}
    who.update(stands)
    if not new:
        judged.changes.append(Change(sheet=CERTIFICATES.title, row=0, table="person", id=who["id"], before=before, after={**stands, "updated_at": at}, text=f"{who['name']}现用的执法证是 {newest['number']}"))
