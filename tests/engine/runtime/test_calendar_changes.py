from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from engine.deadlines.counts import find_miscounts, fold_counts
from engine.deadlines.queries import clocks_of
from engine.kernel.clock import legal_date
from engine.kernel.errors import AlreadyDone, Conflict, Forbidden, Invalid, StaleRevision
from engine.reference import calendars
from engine.reference.year_paper import read_json, read_paste
from engine.runtime.apply_calendar import apply_change, cancel_change, make_change, make_preview, preview_change
from engine.runtime.draft_calendar import change_of, draft_change, drop_change, edit_change
from engine.storage.tables.cases import case_clock, clock_event
from engine.storage.tables.clocks import calendar_shift
from engine.storage.tables.runtime import act
from tests.engine.runtime.clock_city import ClockCity, clock_city

PARAMETERS = {
    "handling": {"title": "办理期限", "unit": "working_day", "values": [{"value": 10, "from": date(2020, 1, 1), "law": "《示例规定》第三条"}],
                 "steps": [{"when": "2 working_day before", "remind": ["handler"]}]},
    "short": {"title": "短期限", "unit": "working_day", "values": [{"value": 2, "from": date(2020, 1, 1), "law": "《示例规定》第四条"}]},
}
EXTRA = "2026-12-01 休 临时放假"


@pytest.fixture
def town(database: Any, clock: Any) -> ClockCity:
    return clock_city(database, clock, PARAMETERS)


def admin(town: ClockCity) -> Any:
    return town.admin()


def clocks(town: ClockCity) -> UUID:
    """A case of station one with two clocks started today (20 November 2026): ends on 4 December and on 24 November."""
    case_id = town.case()
    town.start(case_id, "sample.handling", "sample.short")
    return case_id


def due(town: ClockCity) -> dict[str, date]:
    return town.due()


def draft(town: Any, text: str = EXTRA, district: UUID | None = None) -> UUID:
    return draft_change(town.app, actor=admin(town), district_id=district, title="临时放假", source="沪府办〔2026〕1号", days=read_paste(text), at=town.app.clock.now())


def row(town: Any, id: UUID) -> Any:
    with town.app.db.connect() as connection:
        return change_of(connection, change_id=id)


def previewed(town: Any, **values: Any) -> UUID:
    id = draft(town, **values)
    preview_change(town.app, actor=admin(town), change_id=id, at=town.app.clock.now())
    town.app.jobs.run_due(town.app)
    return id


def test_a_change_says_what_shifts_then_shifts_it_and_leaves_it_in_the_history(town: Any) -> None:
    case_id, app, now = clocks(town), town.app, town.app.clock.now()
    assert due(town) == {"handling": date(2026, 12, 4), "short": date(2026, 11, 24)}
    id = previewed(town)
    found = row(town, id)
    assert (found["state"], found["total"], found["shifted"]) == ("previewed", 1, 1)
    with app.db.connect() as connection:
        (shift,) = connection.execute(select(calendar_shift)).all()
    assert (shift.case_id, shift.due_before, shift.due_after) == (case_id, date(2026, 12, 4), date(2026, 12, 7))
    assert due(town)["handling"] == date(2026, 12, 4)
    apply_change(app, actor=admin(town), change_id=id, at=now)
    app.jobs.run_due(app)
    assert due(town) == {"handling": date(2026, 12, 7), "short": date(2026, 11, 24)}
    assert (row(town, id)["state"], row(town, id)["shifted"]) == ("applied", 1)
    with app.db.connect() as connection:
        assert connection.scalars(select(act.c.opinion).where(act.c.case_id == case_id, act.c.kind == "calendar")).all() == ["届满日由 2026-12-04 改为 2026-12-07：临时放假"]
        assert connection.scalar(select(case_clock.c.next_at).where(case_clock.c.clock == "sample.handling")).astimezone().date() <= date(2026, 12, 3)  # type: ignore[union-attr]
        view = next(v for v in clocks_of(connection, case_id, legal_date(now)) if v.clock == "sample.handling")
        assert any(step["title"] == "日历调整：临时放假" for step in view.steps) and view.due == date(2026, 12, 7)
    app.clock.advance(timedelta(minutes=1))
    app.jobs.run_due(app, at=app.clock.now())
    assert due(town)["handling"] == date(2026, 12, 7)


def test_a_day_of_one_district_moves_its_clocks_alone(town: Any) -> None:
    clocks(town)
    district, station = town.units["TA"], town.units["TA_s1"]
    id = previewed(town, district=district)
    apply_change(town.app, actor=admin(town), change_id=id, at=town.app.clock.now())
    town.app.jobs.run_due(town.app)
    assert due(town)["handling"] == date(2026, 12, 7)
    with town.app.db.connect() as connection:
        calendars.forget(connection)
        assert calendars.load(connection).is_working(date(2026, 12, 1))
        assert not calendars.load(connection, district_id=district).is_working(date(2026, 12, 1))
        assert calendars.load(connection, district_id=station) is calendars.load(connection)


def test_a_cancelled_application_puts_days_and_clocks_back(town: Any) -> None:
    clocks(town)
    app, now, id = town.app, town.app.clock.now(), previewed(town)
    apply_change(app, actor=admin(town), change_id=id, at=now)
    make_change(app, change_id=str(id), run=row(town, id)["run"])
    with app.db.begin() as connection:  # as if it were still under way
        connection.exec_driver_sql("UPDATE calendar_change SET state = 'applying'")
    assert due(town)["handling"] == date(2026, 12, 7)
    cancel_change(app, actor=admin(town), change_id=id, at=now)
    app.jobs.run_due(app)
    assert due(town)["handling"] == date(2026, 12, 4) and row(town, id)["state"] == "cancelled"
    with app.db.connect() as connection:
        assert connection.scalars(select(clock_event.c.kind).where(clock_event.c.kind == "calendar")).all() == ["calendar", "calendar"]
        assert calendars.load(connection).is_working(date(2026, 12, 1))


def test_a_stopped_preview_and_an_old_job_leave_nothing(town: Any) -> None:
    clocks(town)
    id = draft(town)
    preview_change(town.app, actor=admin(town), change_id=id, at=town.app.clock.now())
    cancel_change(town.app, actor=admin(town), change_id=id, at=town.app.clock.now())
    make_preview(town.app, change_id=str(id), run=1)
    assert row(town, id)["state"] == "draft"
    with town.app.db.connect() as connection:
        assert connection.execute(select(calendar_shift)).all() == []


def test_drafts_are_kept_changed_and_refused_when_wrong(town: Any) -> None:
    app, who, now = town.app, admin(town), town.app.clock.now()
    id = draft(town)
    edit_change(app, actor=who, change_id=id, title="改", source="文", days=read_paste("2026-12-02 休"), rev=0, at=now)
    with pytest.raises(StaleRevision):
        edit_change(app, actor=who, change_id=id, title="改", source="文", days=read_paste("2026-12-03 休"), rev=0, at=now)
    assert row(town, id)["days"] == [["2026-12-02", False, ""]]
    with pytest.raises(Forbidden):
        preview_change(app, actor=town.people["handler"], change_id=id, at=now)
    with pytest.raises(Invalid, match="先预览"):
        apply_change(app, actor=who, change_id=id, at=now)
    with pytest.raises(Invalid, match="依据"):
        draft_change(app, actor=who, district_id=None, title="甲", source=" ", days=read_paste(EXTRA), at=now)
    drop_change(app, actor=who, change_id=id, at=now)
    one, two = previewed(town), previewed(town, text="2026-12-03 休")
    apply_change(app, actor=who, change_id=one, at=now)
    with pytest.raises(Conflict, match="另一次"):
        apply_change(app, actor=who, change_id=two, at=now)
    app.jobs.run_due(app)
    with pytest.raises(AlreadyDone):
        drop_change(app, actor=who, change_id=one, at=now)


def test_counts_by_unit_follow_every_change(town: Any) -> None:
    clocks(town)
    with town.app.db.begin() as connection:
        assert find_miscounts(connection) == []
        assert fold_counts(connection) == 2
        connection.execute(case_clock.update().values(state="suspended", due_on=None).where(case_clock.c.clock == "sample.short"))
        connection.execute(case_clock.update().values(state="met").where(case_clock.c.clock == "sample.handling"))
        assert find_miscounts(connection) == []
        fold_counts(connection)
        assert connection.exec_driver_sql("SELECT clock, due_on::text, n FROM clock_count").all() == [("sample.short", "9999-12-31", 1)]
        connection.exec_driver_sql("UPDATE clock_count SET n = 5")
        assert len(find_miscounts(connection)) == 1


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("2027-01-01 休 元旦\n2027年1月3日 班", [("2027-01-01", False, "元旦"), ("2027-01-03", True, "调休上班")]),
        ("2027-10-01 至 2027-10-03 休 国庆节", [("2027-10-01", False, "国庆节"), ("2027-10-02", False, "国庆节"), ("2027-10-03", False, "国庆节")]),
        ("# 注\n2027/5/1，放假，劳动节", [("2027-05-01", False, "劳动节")]),
        ("2027-05-04 平日", [("2027-05-04", None, "")]),
        ('{"days": [{"name": "元旦", "date": "2027-01-01", "isOffDay": true}]}', [("2027-01-01", False, "元旦")]),
        ('[{"day": "2027-01-03", "working": true}]', [("2027-01-03", True, "调休上班")]),
    ],
)
def test_a_year_is_read_as_people_have_it(text: str, days: list[Any]) -> None:
    assert [(day.isoformat(), working, title) for day, working, title in read_paste(text)] == days


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "没有读到"), ("明天 休", "看不懂"), ("2027-02-30 休", "不存在"), ("2027-01-01 休\n2027-01-01 班", "写了两次"), ("2027-01-05 至 2027-01-01 休", "早于"),
     ("1999-01-01 休", "2004"), ("2027-01-01 也许", "看不懂"), ('{"days": 3}', "列表"), ("[{}]", "日期")],
)
def test_a_year_that_reads_wrong_is_refused_saying_where(text: str, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        read_paste(text)
    with pytest.raises(Invalid):
        read_json("{")
