from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import Connection, event, insert, select

from engine.access.actors import SEE_ALL
from engine.deadlines.clocks import (
    By,
    clock_name,
    due_of,
    end_clock,
    exclude_span,
    extend_clock,
    live_clock,
    resume_clock,
    start_clock,
    suspend_clock,
    undo_act,
)
from engine.deadlines.models import behaviour
from engine.deadlines.queries import ClockView, clocks_of, countdown, nearest_clocks, overdue
from engine.deadlines.rules import ClockRefused, ClockRule
from engine.kernel.errors import Conflict, NotFound
from engine.kernel.ids import new_id
from engine.reference.calendars import published_calendar, seed_calendar
from engine.reference.parameters import seed_parameters
from engine.storage.tables.cases import clock_event
from engine.storage.tables.content import bundle, definition
from engine.storage.tables.runtime import instance, timer
from tests.engine.access.organisation_factory import AT, City, small_city

CLOCK = "sample.handling"
START = date(2026, 3, 2)
PARAMETERS = {
    "handling": {
        "title": "办理期限",
        "unit": "working_day",
        "extension": {"times": 1, "amount": 15},
        "values": [{"value": 15, "from": date(2021, 7, 15), "law": "《示例规定》第三条"}],
    },
    "measure": {"title": "强制措施期限", "unit": "day", "values": [{"value": 30, "from": date(2021, 7, 15), "law": "《示例规定》第九条"}]},
}


def at(day: date, **values: object) -> By:
    return By(at=datetime(day.year, day.month, day.day, 2, tzinfo=UTC), **values)  # type: ignore[arg-type]


@pytest.fixture
def city(connection: Connection) -> City:
    seed_calendar(connection)
    seed_parameters(connection, pack="sample", content=PARAMETERS)
    return small_city(connection)


def started(city: City, clock: str = CLOCK) -> UUID:
    case_id = city.case("TA_s1")
    start_clock(city.connection, case_id=case_id, clock=clock, start_on=START, by=at(START), unit_id=city.units["TA_s1"])
    return case_id


def only(city: City, case_id: UUID, on: date = START) -> ClockView:
    (view,) = clocks_of(city.connection, case_id, on)
    return view


def test_a_clock_stopped_on_its_first_day_has_all_of_it_left(city: City) -> None:
    case_id = started(city)
    suspend_clock(city.connection, case_id=case_id, clock=CLOCK, on=START, by=at(START))
    assert only(city, case_id).words == "已暂停，恢复后还有 15 个工作日"


def test_a_clock_measured_by_another_parameter_is_warned_about_as_that_one(city: City) -> None:
    case_id = city.case("TA_s1")
    start_clock(city.connection, case_id=case_id, clock=CLOCK, measure="sample.measure", start_on=START, by=at(START))
    view, rule = only(city, case_id), ClockRule(amount=30, unit="day", measure="sample.measure")
    assert (view.clock, view.title, view.due, view.law) == (CLOCK, "强制措施期限", date(2026, 4, 1), "《示例规定》第九条")
    models = {"sample.measure": ((START, {"soon": "5 day", "steps": []}),)}
    assert behaviour(rule, clock=CLOCK, models=models, on=START).soon == "5 day"


def test_a_clock_starts_stops_runs_on_and_is_extended(city: City) -> None:
    case_id, run = started(city), city.connection
    assert due_of(run, case_id=case_id, clock=CLOCK) == date(2026, 3, 23)
    stopped = suspend_clock(run, case_id=case_id, clock=CLOCK, on=date(2026, 3, 10), by=at(date(2026, 3, 10), ground="检验"))
    assert (stopped.state, stopped.due_on) == ("suspended", None)
    assert only(city, case_id).words == "已暂停，恢复后还有 10 个工作日"
    assert resume_clock(run, case_id=case_id, clock=CLOCK, on=date(2026, 3, 12), by=at(date(2026, 3, 12))).due_on == date(2026, 3, 25)
    excluded = exclude_span(run, case_id=case_id, clock=CLOCK, first=date(2026, 3, 3), last=date(2026, 3, 4), by=at(date(2026, 3, 13)))
    assert excluded.due_on == date(2026, 3, 27)
    assert extend_clock(run, case_id=case_id, clock=CLOCK, amount=15, on=date(2026, 3, 27), by=at(date(2026, 3, 27))).due_on == date(
        2026, 4, 20
    )
    view = only(city, case_id, date(2026, 4, 16))
    assert (view.light, view.words, view.remaining, view.unit) == ("ok", "还剩 2 个工作日", 2, "working_day")
    assert view.steps[-1] == {"title": "届满日", "value": "2026-04-20", "note": "《示例规定》第三条", "total": True}
    assert [row["title"] for row in view.steps[:2]] == ["起算日（当日不计入）", "2026-03-10 暂停，2026-03-12 恢复"]
    ended = end_clock(run, case_id=case_id, clock=CLOCK, on=date(2026, 4, 20), by=at(date(2026, 4, 20)))
    assert ended.state == "met" and only(city, case_id).light == "done"
    with pytest.raises(NotFound):
        due_of(run, case_id=case_id, clock=CLOCK)


def test_what_breaks_a_rule_is_refused_and_changes_nothing(city: City) -> None:
    case_id, run = started(city), city.connection
    before = only(city, case_id)
    with pytest.raises(Conflict):
        start_clock(run, case_id=case_id, clock=CLOCK, start_on=START, by=at(START))
    with pytest.raises(NotFound):
        start_clock(run, case_id=case_id, clock="sample.nothing", start_on=START, by=at(START))
    with pytest.raises(ClockRefused, match="没有暂停"):
        resume_clock(run, case_id=case_id, clock=CLOCK, on=START, by=at(START))
    with pytest.raises(ClockRefused, match="还没有到"):
        suspend_clock(run, case_id=case_id, clock=CLOCK, on=date(2026, 3, 11), by=at(date(2026, 3, 10)))
    for late in (suspend_clock, extend_clock):
        with pytest.raises(ClockRefused, match="届满"):
            late(
                run,
                case_id=case_id,
                clock=CLOCK,
                on=date(2026, 3, 24),
                by=at(date(2026, 3, 24)),
                **({"amount": 1} if late is extend_clock else {}),
            )  # type: ignore[operator]
    with pytest.raises(ClockRefused, match="不得超过"):
        extend_clock(run, case_id=case_id, clock=CLOCK, amount=16, on=START, by=at(START))
    with pytest.raises(NotFound):
        suspend_clock(run, case_id=case_id, clock="sample.measure", on=START, by=at(START))
    assert only(city, case_id) == before


def test_labels_tell_several_clocks_of_one_name_apart(city: City) -> None:
    case_id, run = city.case("TA_s1"), city.connection
    for label in ("甲", "乙"):
        state = start_clock(run, case_id=case_id, clock=CLOCK, start_on=START, by=at(START), label=label)
        assert (state.clock, state.title[-3:]) == (clock_name(CLOCK, label), f"（{label}）")
    extend_clock(run, case_id=case_id, clock=clock_name(CLOCK, "乙"), amount=15, on=START, by=at(START))
    lives = [live_clock(run, case_id=case_id, clock=clock_name(CLOCK, label)) for label in ("甲", "乙")]
    assert [live.extensions for live in lives if live] == [0, 1]
    assert live_clock(run, case_id=case_id, clock=CLOCK) is None
    with pytest.raises(Conflict, match="（甲）”已经在计时"):
        start_clock(run, case_id=case_id, clock=CLOCK, start_on=START, by=at(START), label="甲")


def test_ending_after_the_due_date_says_expired_and_the_clock_may_start_anew(city: City) -> None:
    case_id, run = started(city), city.connection
    assert end_clock(run, case_id=case_id, clock=CLOCK, on=date(2026, 3, 24), by=at(date(2026, 3, 24))).state == "expired"
    again = start_clock(run, case_id=case_id, clock=CLOCK, start_on=date(2026, 3, 24), by=at(date(2026, 3, 24)))
    assert again.due_on == date(2026, 4, 15)
    assert [view.state for view in clocks_of(run, case_id, START)] == ["running", "expired"]


def test_undoing_an_act_takes_its_events_back(city: City) -> None:
    run, act, other = city.connection, new_id(), new_id()
    case_id = started(city)
    due = only(city, case_id).due
    suspend_clock(run, case_id=case_id, clock=CLOCK, on=date(2026, 3, 10), by=at(date(2026, 3, 10), act_id=act))
    assert undo_act(run, act_id=act, at=AT) == 1
    assert (only(city, case_id).state, only(city, case_id).due) == ("running", due)
    end_clock(run, case_id=case_id, clock=CLOCK, on=date(2026, 3, 10), by=at(date(2026, 3, 10), act_id=act))
    undo_act(run, act_id=act, at=AT)
    assert only(city, case_id).state == "running"
    start_clock(run, case_id=case_id, clock="sample.measure", start_on=START, by=at(START, act_id=other))
    undo_act(run, act_id=other, at=AT)
    assert {view.clock: view.state for view in clocks_of(run, case_id, START)} == {CLOCK: "running", "sample.measure": "cancelled"}
    assert undo_act(run, act_id=new_id(), at=AT) == 0
    assert run.execute(select(clock_event.c.kind)).scalars().all() == ["start"]


def test_timers_bound_to_a_clock_follow_it(city: City) -> None:
    case_id, run = started(city), city.connection
    instance_id = an_instance(run, case_id)
    run.execute(insert(timer).values(instance_id=instance_id, engine_id="1", case_id=case_id, node="wait", due_at=AT, clock=CLOCK))
    suspend_clock(run, case_id=case_id, clock=CLOCK, on=date(2026, 3, 10), by=at(date(2026, 3, 10)))
    assert run.scalar(select(timer.c.suspended)) is True
    resume_clock(run, case_id=case_id, clock=CLOCK, on=date(2026, 3, 12), by=at(date(2026, 3, 12)))
    row = run.execute(select(timer.c.suspended, timer.c.due_at)).one()
    assert row.suspended is False and row.due_at == datetime(2026, 3, 25, 16, tzinfo=UTC)


def an_instance(run: Connection, case_id: UUID) -> UUID:
    ids = [new_id() for _ in range(3)]
    run.execute(
        insert(definition).values(id=ids[0], kind="process", name="p.q", version=1, content=b"", hash="h", source="folder", created_at=AT)
    )
    run.execute(insert(bundle).values(id=ids[1], root="p.q", hash="h", members={}, created_at=AT))
    run.execute(
        insert(instance).values(
            id=ids[2],
            case_id=case_id,
            bundle_id=ids[1],
            definition_id=ids[0],
            process="p.q",
            title="流程",
            status="running",
            rev=1,
            state=b"",
            started_at=AT,
            updated_at=AT,
        )
    )
    return ids[2]


def test_lists_show_the_nearest_clock_and_what_is_overdue_within_scope(city: City) -> None:
    one, two, run = started(city), started(city, "sample.measure"), city.connection
    start_clock(run, case_id=two, clock=CLOCK, start_on=START, by=at(START))
    on = date(2026, 3, 24)
    nearest = nearest_clocks(run, case_ids=[one, two, new_id()], on=on)
    assert {case_id: told.words for case_id, told in nearest.items()} == {one: "逾期 1 个工作日", two: "逾期 1 个工作日"}
    officer, auditor = city.sit("li", "TA_s1", "officer"), city.sit("wang", "TB_s1", "officer", rights=(SEE_ALL,))
    assert overdue(run, actor=officer, on=on) == []
    assert {row["case_id"] for row in overdue(run, actor=auditor, on=on)} == {one, two}
    assert nearest_clocks(run, case_ids=[], on=on) == {}


@pytest.mark.parametrize(
    ("due", "unit", "state", "light", "words"),
    [
        (date(2026, 10, 8), "working_day", "running", "soon", "今天到期"),
        (date(2026, 10, 9), "working_day", "running", "soon", "还剩 1 个工作日"),
        (date(2026, 10, 12), "working_day", "running", "ok", "还剩 3 个工作日"),
        (date(2026, 9, 30), "working_day", "running", "late", "逾期 1 个工作日"),
        (date(2026, 10, 10), "month", "running", "ok", "还剩 2 天"),
        (date(2026, 10, 6), "day", "running", "late", "逾期 2 天"),
        (None, "day", "suspended", "hold", "已暂停"),
        (date(2026, 10, 6), "day", "met", "done", "已办结"),
    ],
)
def test_a_due_date_reads_as_light_number_and_unit(due: date | None, unit: str, state: str, light: str, words: str) -> None:
    told = countdown(due, on=date(2026, 10, 8), unit=unit, state=state, calendar=published_calendar())
    assert (told.light, told.words) == (light, words)


def test_the_case_page_reads_all_clocks_in_one_statement(city: City) -> None:
    case_id = started(city)
    clocks_of(city.connection, case_id, START)
    seen: list[str] = []
    listen = lambda *args: seen.append(args[2])  # noqa: E731
    event.listen(city.connection, "before_cursor_execute", listen)
    clocks_of(city.connection, case_id, START + timedelta(days=1))
    event.remove(city.connection, "before_cursor_execute", listen)
    assert len(seen) == 1
