"""工作日历: the days of a year by region, and changes of them: drafted, looked at, applied, cancelled."""
from __future__ import annotations

import calendar as months
import csv
import io
from collections.abc import Iterator
from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection, func, select, tuple_

from engine.deadlines.board import board_root
from engine.kernel.errors import Invalid
from engine.reference import calendars
from engine.reference.calendars import FIRST_YEAR, REGION, Calendar
from engine.reference.year_paper import Entry, read_json, read_paste, read_table
from engine.registers.workbook import read_rows
from engine.runtime.apply_calendar import apply_change, cancel_change, preview_change
from engine.runtime.draft_calendar import EDITABLE, UNDER_WAY, change_of, district_of, draft_change, drop_change, edit_change, entries_of
from engine.storage.tables.cases import case_file
from engine.storage.tables.clocks import calendar_change, calendar_shift
from engine.storage.tables.organisation import unit
from engine.web.answers import done
from engine.web.context import actor, application, identifier, now, reading, today

blueprint = Blueprint("calendar", __name__)
PAGE = 50
LARGEST = 2 * 1024 * 1024
STATES = {
    "draft": ("none", "草稿"), "previewing": ("now", "正在预览"), "previewed": ("soon", "已预览，未生效"), "applying": ("now", "正在生效"), "applied": ("done", "已生效"),
    "undoing": ("now", "正在改回"), "cancelled": ("hold", "已取消，已改回"), "failed": ("late", "出错"),
}


@blueprint.get("/admin/calendar")
def page() -> ResponseReturnValue:
    actor().require("admin")
    year = request.args.get("year", today().year, type=int)
    if not FIRST_YEAR <= year <= today().year + 10:
        raise Invalid(f"日历从 {FIRST_YEAR} 年到 {today().year + 10} 年，请重新选。", code="bad_year")
    district = _district(request.args.get("district"))
    with reading() as connection:
        days = calendars.load(connection, district_id=district)
        own = calendars.days_in(connection, calendars.region_of(district)) if district else {}
        places = _districts(connection)
        changes = connection.execute(select(calendar_change).order_by(calendar_change.c.at.desc()).limit(20)).mappings().all()
    return render_template(
        "calendar/page.html", year=year, years=range(max(FIRST_YEAR, today().year - 3), today().year + 3), months=_months(days, year), days=calendars.days_of_year(days, year), own=own,
        district=district, places=places, missing=days.missing_year(today()), known=days.known_until.year, unknown=year > days.known_until.year, leads=board_root(actor()) is not None, changes=changes, states=STATES, words=_region_words(places),
    )


def _district(text: str | None) -> UUID | None:
    return identifier(text, "区") if text else None


def _districts(connection: Connection) -> list[Any]:
    return [*connection.execute(select(unit.c.id, unit.c.short_name).where(unit.c.kind == "district_bureau", unit.c.active).order_by(unit.c.path))]


def _region_words(places: list[Any]) -> dict[str, str]:
    return {REGION: "全市", **{calendars.region_of(place.id): place.short_name for place in places}}


def _months(days: Calendar, year: int) -> list[tuple[int, list[list[tuple[int, str, str]]]]]:
    """(month, weeks of (day or 0, class, title)): off, on (a weekend day on which people work), rest or plain."""
    found = []
    for month in range(1, 13):
        weeks = []
        for week in months.Calendar().monthdayscalendar(year, month):
            weeks.append([_cell(days, date(year, month, day)) if day else (0, "", "") for day in week])
        found.append((month, weeks))
    return found


def _cell(days: Calendar, day: date) -> tuple[int, str, str]:
    named = days.days.get(day)
    if named is not None:
        return day.day, "on" if named.working else "off", named.title
    return day.day, "rest" if day.weekday() > 4 else "", ""


@blueprint.get("/admin/calendar/new")
def fresh() -> ResponseReturnValue:
    actor().require("admin")
    with reading() as connection:
        places = _districts(connection)
    return _form(places=places, district=_district(request.args.get("district")))


def _form(*, places: list[Any], district: UUID | None, row: Any = None, error: Invalid | None = None, text: str | None = None) -> str:
    given = text if text is not None else "\n".join(_line(entry) for entry in entries_of(row)) if row else ""
    return render_template(
        "calendar/form.html", row=row, places=places, district=district, text=given, title=request.form.get("title", row["title"] if row else ""),
        source=request.form.get("source", row["source"] if row else ""), errors=error.fields if error else {}, message=error.message if error else "",
    )


def _line(entry: Entry) -> str:
    day, working, title = entry
    return f"{day} {'平日' if working is None else '班' if working else '休'} {title}".rstrip()


@blueprint.post("/admin/calendar/new")
def create() -> ResponseReturnValue:
    actor().require("admin")
    district = _district(request.form.get("district"))
    try:
        id = draft_change(
            application(), actor=actor(), district_id=district, title=request.form.get("title", ""), source=request.form.get("source", ""), days=_days(), at=now(),
        )
    except Invalid as error:
        with reading() as connection:
            places = _districts(connection)
        return _form(places=places, district=district, error=error, text=request.form.get("days", "")), 422
    return done(url_for("calendar.one", change_id=id), "草稿已保存。预览看过哪些期限会变，再让它生效。")


def _days() -> list[Entry]:
    """From the file when there is one, else from the text box."""
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        return read_paste(request.form.get("days", ""))
    data = sent.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise Invalid("文件太大，一年的安排不会超过 2 MB。", fields={"file": "请选一个 .xlsx 或 .json 文件。"})
    if sent.filename.lower().endswith(".json"):
        return read_json(data)
    headings, _, rows = read_rows(data)
    return read_table([headings, *rows])


@blueprint.get("/admin/calendar/changes/<change_id>")
def one(change_id: str) -> ResponseReturnValue:
    """The days, how far it is, what shifts; looks again by itself while the worker is at it."""
    actor().require("admin")
    id = identifier(change_id, "日历调整")
    after = request.args.get("after")
    with reading() as connection:
        row = change_of(connection, change_id=id)
        shifts = _shifts(connection, id, after)
        turns = connection.execute(
            select(func.count().filter(calendar_shift.c.due_after > calendar_shift.c.due_before), func.count().filter(calendar_shift.c.due_after < calendar_shift.c.due_before),
                   func.count().filter(calendar_shift.c.problem != "")).where(calendar_shift.c.change_id == id)
        ).one()
        places = _districts(connection)
    more = f"{shifts[PAGE - 1]['due_after']}~{shifts[PAGE - 1]['clock_id']}" if len(shifts) > PAGE else None
    return render_template(
        "calendar/change.html", row=row, days=entries_of(row), shifts=shifts[:PAGE], next=more, state=STATES[row["state"]], later=turns[0], sooner=turns[1], problems=turns[2],
        region=_region_words(places).get(row["region"], row["region"]), busy=row["state"] in UNDER_WAY, editable=row["state"] in EDITABLE,
        percent=min(100, round(100 * row["done"] / row["total"])) if row["total"] else 0,
    )


def _shifts(connection: Connection, id: UUID, after: str | None) -> list[Any]:
    s = calendar_shift.c
    statement = (
        select(calendar_shift, case_file.c.number, case_file.c.title.label("case_title"), unit.c.short_name.label("unit"))
        .join(case_file, case_file.c.id == s.case_id).outerjoin(unit, unit.c.id == s.unit_id)
        .where(s.change_id == id).order_by(s.due_after, s.clock_id).limit(PAGE + 1)
    )
    if after:
        try:
            day, clock = after.split("~")
            statement = statement.where(tuple_(s.due_after, s.clock_id) > (date.fromisoformat(day), UUID(clock)))
        except ValueError:
            raise Invalid("这一页的地址不完整，请从第一页重新翻。", code="bad_page") from None
    return [*connection.execute(statement).mappings()]


@blueprint.get("/admin/calendar/changes/<change_id>/edit")
def edit(change_id: str) -> ResponseReturnValue:
    actor().require("admin")
    with reading() as connection:
        row, places = change_of(connection, change_id=identifier(change_id, "日历调整")), _districts(connection)
    return _form(places=places, district=district_of(row), row=row)


@blueprint.post("/admin/calendar/changes/<change_id>/edit")
def change(change_id: str) -> ResponseReturnValue:
    actor().require("admin")
    id = identifier(change_id, "日历调整")
    try:
        edit_change(
            application(), actor=actor(), change_id=id, title=request.form.get("title", ""), source=request.form.get("source", ""), days=_days(),
            rev=request.form.get("rev", 0, type=int), at=now(),
        )
    except Invalid as error:
        with reading() as connection:
            row, places = change_of(connection, change_id=id), _districts(connection)
        return _form(places=places, district=district_of(row), row=row, error=error, text=request.form.get("days", "")), 422
    return done(url_for("calendar.one", change_id=id), "已保存。改过以后要重新预览。")


@blueprint.post("/admin/calendar/changes/<change_id>")
def handle(change_id: str) -> ResponseReturnValue:
    """preview, apply, cancel or drop, as the button says."""
    actor().require("admin")
    id, what = identifier(change_id, "日历调整"), request.form.get("what", "")
    verbs = {"preview": preview_change, "apply": apply_change, "cancel": cancel_change, "drop": drop_change}
    if what not in verbs:
        raise Invalid("请用页面上的按钮。")
    verbs[what](application(), actor=actor(), change_id=id, at=now())
    said = {"preview": "正在算哪些期限会变。", "apply": "已生效，正在逐件调整期限。", "cancel": "已要求停下。", "drop": "草稿已丢弃。"}[what]
    return done(url_for("calendar.page") if what == "drop" else url_for("calendar.one", change_id=id), said)


@blueprint.get("/admin/calendar/changes/<change_id>/shifts.csv")
def shifts(change_id: str) -> ResponseReturnValue:
    """Everything that shifts, as a table for Excel."""
    actor().require("admin")
    id = identifier(change_id, "日历调整")
    with reading() as connection:
        change_of(connection, change_id=id)
    answer = Response(stream_with_context(_lines(id)), mimetype="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = "attachment; filename=shifts.csv; filename*=UTF-8''%E6%9C%9F%E9%99%90%E5%8F%98%E5%8A%A8.csv"
    return answer


def _lines(id: UUID) -> Iterator[str]:
    yield "\ufeff" + _csv(["案号", "案件", "单位", "期限", "原届满日", "新届满日", "说明"])
    s = calendar_shift.c
    statement = (
        select(case_file.c.number, case_file.c.title.label("case_title"), unit.c.short_name, s.title, s.due_before, s.due_after, s.problem)
        .join(case_file, case_file.c.id == s.case_id).outerjoin(unit, unit.c.id == s.unit_id).where(s.change_id == id).order_by(s.due_after, s.clock_id)
    )
    with application().db.connect().execution_options(yield_per=2_000) as connection:
        for row in connection.execute(statement):
            yield _csv([*row])


def _csv(cells: list[Any]) -> str:
    """One line; what Excel would take for a formula is written as text."""
    out = io.StringIO()
    texts = ["" if cell is None else str(cell) for cell in cells]
    csv.writer(out).writerow([f"'{text}" if text[:1] in "=+-@\t\r" and text else text for text in texts])
    return out.getvalue()
