"""Rows of people and of their posts: who is new, whose name is put right, who sits where from when until when."""
from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from engine.kernel.ids import new_id
from engine.reference.dictionaries import Dictionary
from engine.reference.pinyin import pinyin_key
from engine.runtime.organisation_file.known import Known, Row
from engine.runtime.organisation_file.lines import Change, Judged, Line
from engine.runtime.organisation_file.shape import PEOPLE, POSTS

Open = Callable[[Row], str]
"""A person's row → the telephone number in plain text."""


def judge_people(judged: Judged, known: Known, *, at: datetime, phone_of: Open) -> dict[str, Line]:
    """Judge the sheet of people; the lines of new ones by number, who stand in ``known.people`` afterwards."""
    seen: dict[str, int] = {}
    fresh: dict[str, Line] = {}
    for line in judged.lines.get(PEOPLE.title, ()):
        number = line.text("number")
        if number and seen.setdefault(number, line.number) != line.number:
            line.fault("number", f"第 {seen[number]} 行已经是这个编号。")
        if len(number) > 60 or (number not in known.people and _is_id(number)):
            line.fault("number", "没有这个系统编号的人员；新登记的人请填工号。" if _is_id(number) else "编号最多 60 个字。")
        if line.wrong:
            continue
        if number in known.people:
            _changed(judged, line, known.people[number], at, phone_of)
        else:
            fresh[number] = line
            known.people[number] = {
                "id": new_id(), "name": line.text("name"), "pinyin": pinyin_key(line.text("name"), person=True), "phone": line.text("phone") or None, "certificate_number": None,
                "certificate_until": None, "active": True, "updated_at": at, "code": number,
            }
    return fresh


def _is_id(number: str) -> bool:
    try:
        return str(UUID(number)) == number
    except ValueError:
        return False


def _changed(judged: Judged, line: Line, old: Row, at: datetime, phone_of: Open) -> None:
    after: dict[str, Any] = {}
    words = []
    if not old["active"]:
        line.fault("number", f"{old['name']}已离职，不能再改。")
        return
    if line.text("name") != old["name"]:
        after |= {"name": line.text("name"), "pinyin": pinyin_key(line.text("name"), person=True)}
        words.append(f"{old['name']}更名为{line.text('name')}")
    if line.get("phone") and phone_of(old) != line.text("phone"):
        after["phone"] = line.text("phone")
        words.append(f"{line.text('name')}的电话")
    if after:
        before = {name: old[name] for name in (*after, "updated_at")}
        judged.changes.append(Change(sheet=line.sheet, row=line.number, table="person", id=old["id"], before=before, after={**after, "updated_at": at}, text="改" + "、".join(words) if "phone" in after else words[0]))
        old["name"] = line.text("name")


def find_person(line: Line, known: Known) -> Row | None:
    """Whom a row of posts or certificates is about; a fault at its cell when there is nobody."""
    found = known.people.get(line.text("number"))
    if found is None:
        line.fault("number", f"没有编号是“{line.text('number')}”的人员，或者“人员”表里他那一行有错。")
    elif not found["active"]:
        line.fault("number", f"{found['name']}已离职。")
    elif line.get("name") and line.text("name") != found["name"]:
        line.fault("name", f"编号 {line.text('number')} 的人是{found['name']}，请核对。")
    return found


def judge_posts(judged: Judged, known: Known, fresh: dict[str, Line], *, posts: Dictionary, on: date) -> None:
    """Judge the sheet of posts, then whether everybody keeps one main post, and new people have any."""
    held = known.posts_of()
    rows: list[tuple[Line, Row, Row | None]] = []
    seen: dict[tuple[Any, ...], int] = {}
    for line in judged.lines.get(POSTS.title, ()):
        if line.wrong or (who := find_person(line, known)) is None or line.wrong:
            continue
        place = known.units.get(line.text("unit"))
        if place is None:
            line.fault("unit", f"没有代码是“{line.text('unit')}”的单位，或者“单位”表里那一行有错。")
            continue
        key = (who["id"], place["id"], line.text("code"), line.get("from_on"))
        if seen.setdefault(key, line.number) != line.number:
            line.fault("from_on", f"和第 {seen[key]} 行是同一个岗位。")
            continue
        old = known.posts.get(key)
        row = _row(line, who, place, old, posts)
        _require_dates(line, row, place, old, held.get(who["id"], []))
        if not line.wrong:
            rows.append((line, row, old))
    _require_others(rows, held, on)
    _choose_main(judged, [one for one in rows if not one[0].wrong], held, known, fresh)
    _require_seats(judged, fresh, known, {row["person_id"] for line, row, _ in rows if not line.wrong})
    _keep(judged, rows, known, fresh)


def _row(line: Line, who: Row, place: Row, old: Row | None, posts: Dictionary) -> Row:
    code = line.text("code")
    title = line.text("title") or (old["title"] if old else posts.title(code))
    main = bool(old and old["main"]) if line.get("main") is None else bool(line.get("main"))
    until = line.get("until_on") or (old["valid_until"] if old else None)
    return {
        "id": old["id"] if old else new_id(), "person_id": who["id"], "unit_id": place["id"], "code": code, "title": title, "main": main,
        "valid_from": line.get("from_on"), "valid_until": until,
    }


def _require_dates(line: Line, row: Row, place: Row, old: Row | None, held: list[Row]) -> None:
    if row["valid_until"] is not None and row["valid_until"] < row["valid_from"]:
        line.fault("until_on", "不能早于开始日期。")
    if old is None and not place["active"]:
        line.fault("unit", f"“{place['name']}”已撤销，不能安排人员。")
    same = [one for one in held if one["unit_id"] == row["unit_id"] and one["code"] == row["code"] and one["id"] != row["id"]]
    if any(one["valid_from"] <= row["valid_from"] and (one["valid_until"] is None or one["valid_until"] >= row["valid_from"]) for one in same):
        line.fault("from_on", "那一天他已经在这个岗位上；要改原来那一段，请照它的开始日期填。")


def _require_others(rows: list[tuple[Line, Row, Row | None]], held: dict[UUID, list[Row]], on: date) -> None:
    """Nobody loses the last post by a file: what is in hand has to be handed over."""
    final: dict[UUID, dict[UUID, Row]] = {}
    for _, row, _ in rows:
        final.setdefault(row["person_id"], {one["id"]: one for one in held.get(row["person_id"], [])})[row["id"]] = row
    for line, row, old in rows:
        if old is None or row["valid_until"] == old["valid_until"]:
            continue
        last = max(row["valid_until"], on)
        if not any(one["valid_until"] is None or one["valid_until"] > last for one in final[row["person_id"]].values()):
            line.fault("until_on", "这是他最后一个岗位。调动、离职要交接手上的工作，请在人员页上办。")


def _choose_main(judged: Judged, rows: list[tuple[Line, Row, Row | None]], held: dict[UUID, list[Row]], known: Known, fresh: dict[str, Line]) -> None:
    mains: dict[UUID, tuple[Line, Row]] = {}
    for line, row, _ in rows:
        if line.get("main") and mains.setdefault(row["person_id"], (line, row))[1] is not row:
            line.fault("main", f"第 {mains[row['person_id']][0].number} 行已经是他的主岗，一个人只能有一个。")
    new = {known.people[number]["id"] for number in fresh}
    for line, row, _ in rows:
        if row["person_id"] in new and not line.wrong and row["person_id"] not in mains:
            mains[row["person_id"]] = (line, row)
            row["main"] = True
    mine = {row["id"]: row for _, row, _ in rows}
    for person_id, (line, chosen) in mains.items():
        for one in held.get(person_id, []):
            if one["main"] and one["id"] != chosen["id"]:
                if one["id"] in mine:
                    mine[one["id"]]["main"] = False
                elif not line.wrong:
                    judged.changes.append(Change(sheet=line.sheet, row=0, table="post", id=one["id"], before={"main": True}, after={"main": False}, text=f"“{one['title']}”不再是主岗"))


def _require_seats(judged: Judged, fresh: dict[str, Line], known: Known, seated: set[UUID]) -> None:
    for number, line in list(fresh.items()):
        row = known.people[number]
        if row["id"] not in seated:
            line.fault("number", "新登记的人在“任职”表里至少要有一行，那一行也不能有错。")
            del known.people[number], fresh[number]
        else:
            judged.changes.append(Change(sheet=line.sheet, row=line.number, table="person", id=row["id"], before=None, after=row, text=f"登记人员{row['name']}"))


def _keep(judged: Judged, rows: list[tuple[Line, Row, Row | None]], known: Known, fresh: dict[str, Line]) -> None:
    names = {row["id"]: row["name"] for row in known.people.values()}
    units = {row["id"]: row["name"] for row in known.units.values()}
    for line, row, old in rows:
        if line.wrong or row["person_id"] not in names:
            continue
        said = f"{names[row['person_id']]}：{units[row['unit_id']]}{row['title']}，{row['valid_from']} 起" + (f"，到 {row['valid_until']}" if row["valid_until"] else "") + ("，主岗" if row["main"] else "")
        if old is None:
            judged.changes.append(Change(sheet=line.sheet, row=line.number, table="post", id=row["id"], before=None, after=row, text=f"任{said}"))
        elif changed := {name: row[name] for name in ("title", "main", "valid_until") if row[name] != old[name]}:
            judged.changes.append(Change(sheet=line.sheet, row=line.number, table="post", id=row["id"], before={name: old[name] for name in changed}, after=changed, text=f"改{said}"))
