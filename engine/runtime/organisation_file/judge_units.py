"""Rows of units: new ones below units that there are or that the file brings, other names for old ones."""
from __future__ import annotations

from datetime import datetime
from typing import Any

from engine.access.organisation import UNIT_KINDS
from engine.kernel.ids import new_id
from engine.runtime.organisation_file.known import Known, Row
from engine.runtime.organisation_file.lines import Change, Judged, Line
from engine.runtime.organisation_file.shape import UNITS

ELSEWHERE = {"kind": "改类型请在单位页上办，这里不改。", "parent": "移动单位请在单位页上办，这里不移。"}


def judge_units(judged: Judged, known: Known, *, at: datetime) -> None:
    """Judge the sheet; ``known.units`` holds the new ones afterwards."""
    seen: dict[str, int] = {}
    fresh: dict[str, Line] = {}
    for line in judged.lines.get(UNITS.title, ()):
        code = line.text("code")
        if code and seen.setdefault(code, line.number) != line.number:
            line.fault("code", f"第 {seen[code]} 行已经是这个代码。")
        if line.wrong:
            continue
        if code in known.units:
            _changed(judged, line, known, at)
        else:
            fresh[code] = line
    _set_up(judged, fresh, known, at)


def _changed(judged: Judged, line: Line, known: Known, at: datetime) -> None:
    old = known.units[line.text("code")]
    above = next((row["code"] for row in known.units.values() if row["id"] == old["parent_id"]), "")
    if not old["active"]:
        line.fault("code", f"“{old['name']}”已撤销。请先在单位页上恢复。")
    if line.text("kind") != old["kind"]:
        line.fault("kind", ELSEWHERE["kind"])
    if line.get("parent") and line.text("parent") != above:
        line.fault("parent", ELSEWHERE["parent"])
    after = {name: line.text(name) for name in ("name", "short_name", "number_word") if line.get(name) and line.text(name) != old[name]}
    if line.wrong or not after:
        return
    titles = {one.name: one.title for one in UNITS.fields.values()}
    words = "、".join(f"{titles[name]}“{old[name]}”改为“{value}”" for name, value in after.items())
    before = {name: old[name] for name in after}
    judged.changes.append(Change(sheet=line.sheet, row=line.number, table="unit", id=old["id"], before={**before, "updated_at": old["updated_at"]}, after={**after, "updated_at": at}, text=f"“{old['name']}”：{words}"))
    old.update(after)


def _set_up(judged: Judged, fresh: dict[str, Line], known: Known, at: datetime) -> None:
    waiting = dict(fresh)
    while waiting:
        ready = {code: line for code, line in waiting.items() if not line.text("parent") or line.text("parent") in known.units}
        for code, line in ready.items():
            del waiting[code]
            _one(judged, line, known, at)
        if not ready:
            break
    for line in waiting.values():
        above = line.text("parent")
        line.fault("parent", "上级那一行有错，或者上下级绕成了圈。" if above in fresh else f"没有代码是“{above}”的单位。")


def _one(judged: Judged, line: Line, known: Known, at: datetime) -> None:
    above = known.units.get(line.text("parent"))
    code, kind, id = line.text("code"), line.text("kind"), new_id()
    if "/" in code or len(code) > 60:
        line.fault("code", "代码不能含“/”，最多 60 个字。")
    if above is not None and not above["active"]:
        line.fault("parent", f"“{above['name']}”已撤销，不能在它下面设单位。")
    if above is None and not line.get("bureau"):
        line.fault("bureau", "最上层的单位要填条线。")
    if above is not None and line.get("bureau") and line.text("bureau") != above["bureau"]:
        line.fault("bureau", "和上级的条线不一样。")
    area = line.text("area_code")
    if area and not (area.isascii() and area.isdigit() and len(area) == 6):
        line.fault("area_code", "写六位数字，如 310106。")
    if line.wrong:
        return
    row: Row = {
        "id": id, "parent_id": above["id"] if above else None, "bureau": above["bureau"] if above else line.text("bureau"), "kind": kind, "code": code, "name": line.text("name"),
        "short_name": line.text("short_name") or line.text("name"), "number_word": line.text("number_word"), "district_id": _district(id, kind, above),
        "path": (above["path"] if above else "") + code + "/", "area_code": area or (above["area_code"] if above else "310000"), "active": True, "updated_at": at,
    }
    known.units[code] = row
    place = f"，在“{above['name']}”下面" if above else ""
    judged.changes.append(Change(sheet=line.sheet, row=line.number, table="unit", id=id, before=None, after=row, text=f"设立{UNIT_KINDS[kind]}“{row['name']}”{place}"))


def _district(id: Any, kind: str, above: Row | None) -> Any:
    return id if kind == "district_bureau" else above["district_id"] if above else None
