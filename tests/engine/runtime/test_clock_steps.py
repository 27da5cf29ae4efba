"""What happens before, at and after the end of a clock: once, in order, and not while it stands still."""
from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from engine.deadlines.clocks import By, end_clock, exclude_span, extend_clock, live_clock, resume_clock, suspend_clock
from engine.deadlines.hourly import tell_missing_year
from engine.deadlines.queries import clocks_of
from engine.deadlines.rights import ClockOver, case_rights, require_not_over, require_open_right
from engine.deadlines.rules import ClockRefused
from engine.deadlines.steps import parse_steps
from engine.kernel.clock import SHANGHAI, legal_date
from engine.kernel.errors import Forbidden, Invalid
from engine.kernel.ids import new_id
from engine.runtime.change_warning import change_warning
from engine.runtime.run_clock_steps import run_clock_steps
from engine.runtime.warn_late_steps import longest_open, warn_late_steps
from engine.storage.tables.cases import case_clock
from engine.storage.tables.clocks import clock_done
from engine.storage.tables.organisation import account, notice
from engine.storage.tables.runtime import instance, task
from tests.engine.deadlines.test_clocks import an_instance
from tests.engine.runtime.clock_city import ClockCity, clock_city

LAW = "《示例规定》第三条"
STEPS = [
    {"when": "3 working_day before", "remind": ["handler"], "text": "还剩三个工作日"},
    {"when": "1 working_day before", "remind": ["handler"], "text": "还剩一个工作日"},
    {"when": "end", "close": "hearing", "title": "申请听证"},
    {"when": "end", "block": ["sample.hearing_request", "sample.notice/collect/ask"], "text": "视为放弃听证"},
    {"when": "end", "message": "hearing_over"},
    {"when": "2 working_day after", "escalate": ["office_head"], "text": "已超期"},
    {"when": "5 working_day after", "escalate": ["superior"]},
]
PARAMETERS = {
    "notice": {"title": "听证期限", "unit": "working_day", "soon": "3 working_day", "steps": STEPS, "values": [{"value": 5, "from": date(2020, 1, 1), "law": LAW}],
               "extension": {"times": 2, "amount": 5, "total": 8}, "suspension": {"times": 1}},
    "urgent": {"title": "报告时限", "unit": "hour", "steps": [{"when": "4 hour before", "remind": ["handler"]}, {"when": "end", "escalate": ["office_head"]}],
               "values": [{"value": 24, "from": date(2020, 1, 1), "law": LAW}]},
    "step": {"title": "环节期限", "unit": "working_day", "every_step": True, "values": [{"value": 5, "from": date(2020, 1, 1), "law": LAW}]},
}


@pytest.fixture
def city(database: Any, clock: Any) -> ClockCity:
    return clock_city(database, clock, PARAMETERS)


def go(city: ClockCity, day: str, hour: int = 1, minute: int = 0) -> int:
    """It is ``hour`` o'clock in Shanghai; how many steps were done."""
    city.app.clock.set(datetime.combine(date.fromisoformat(day), datetime.min.time(), SHANGHAI) + timedelta(hours=hour, minutes=minute))
    return run_clock_steps(city.app, city.app.clock.now())


def told(city: ClockCity) -> list[tuple[str, str]]:
    """(who, which words) in the order of time."""
    with city.app.db.connect() as connection:
        rows = connection.execute(select(account.c.login, notice.c.text).join(account, account.c.person_id == notice.c.person_id).order_by(notice.c.at, notice.c.id)).all()
    return [(row.login, row.text.split("）")[1].split("　")[0]) for row in rows]


def by(city: ClockCity, **values: Any) -> By:
    return By(at=city.app.clock.now(), **values)


def test_everything_happens_once_and_in_order(city: ClockCity) -> None:
    """Started on Friday 20 November with five working days: the last day is Friday 27 November."""
    case_id = city.case()
    city.start(case_id, "sample.notice")
    assert [go(city, day) for day in ("2026-11-23", "2026-11-24", "2026-11-24", "2026-11-26", "2026-11-27")] == [0, 1, 0, 1, 0]
    with city.app.db.connect() as connection:
        require_not_over(connection, case_id=case_id, acts=("sample.hearing_request",), at=city.app.clock.now())
        assert [(r.name, r.open) for r in case_rights(connection, case_id=case_id, at=city.app.clock.now())] == [("hearing", True)]
    assert go(city, "2026-11-28", hour=0) == 1
    with city.app.db.connect() as connection:
        with pytest.raises(ClockOver, match=r"“听证期限”已于 2026-11-27 届满（《示例规定》第三条），这一步不能再办：视为放弃听证"):
            require_not_over(connection, case_id=case_id, acts=("sample.other", "sample.hearing_request"), at=city.app.clock.now())
        with pytest.raises(ClockOver, match="“申请听证”已于 2026-11-27 届满关闭"):
            require_open_right(connection, case_id=case_id, name="hearing", at=city.app.clock.now())
    assert [go(city, day) for day in ("2026-12-01", "2026-12-02", "2026-12-04", "2026-12-05", "2026-12-31")] == [0, 1, 0, 1, 0]
    assert told(city) == [("handler", "还剩三个工作日"), ("handler", "还剩一个工作日"), ("head", "已超期"), ("chief", "届满后 5 个工作日，届满日 2026-11-27")]
    city.app.jobs.run_due(city.app)
    ((name, message),) = city.thrown
    assert (name, message["name"], message["correlation"], message["payload"]["due_on"]) == ("runtime.throw_message", "hearing_over", str(case_id), "2026-11-27")


def test_a_suspended_clock_stands_still_and_a_moved_one_reminds_anew(city: ClockCity) -> None:
    case_id, run = city.case(), city.app.db
    city.start(case_id, "sample.notice")
    assert go(city, "2026-11-24") == 1
    with run.begin() as connection:
        suspend_clock(connection, case_id=case_id, clock="sample.notice", on=date(2026, 11, 24), by=by(city))
    assert [go(city, day) for day in ("2026-11-26", "2026-12-02")] == [0, 0]
    with run.connect() as connection:
        assert not any(r.until for r in case_rights(connection, case_id=case_id, at=city.app.clock.now()))
        require_not_over(connection, case_id=case_id, acts=("sample.hearing_request",), at=city.app.clock.now())
    with run.begin() as connection:
        assert resume_clock(connection, case_id=case_id, clock="sample.notice", on=date(2026, 12, 2), by=by(city)).due_on == date(2026, 12, 7)
    assert [go(city, day) for day in ("2026-12-02", "2026-12-03", "2026-12-04")] == [1, 0, 1]
    with run.begin() as connection, pytest.raises(ClockRefused, match="最多暂停 1 次"):
        suspend_clock(connection, case_id=case_id, clock="sample.notice", on=date(2026, 12, 4), by=by(city))


def test_reminders_that_were_missed_together_are_sent_as_one(city: ClockCity) -> None:
    case_id = city.case()
    city.start(case_id, "sample.notice")
    assert go(city, "2026-11-28", hour=0) == 3
    assert told(city) == [("handler", "还剩一个工作日")]
    with city.app.db.connect() as connection:
        assert sorted(connection.scalars(select(clock_done.c.kind))) == ["message", "remind", "skipped"]


def test_a_clock_that_ended_in_time_does_and_closes_nothing(city: ClockCity) -> None:
    case_id = city.case()
    city.start(case_id, "sample.notice")
    go(city, "2026-11-23")
    with city.app.db.begin() as connection:
        end_clock(connection, case_id=case_id, clock="sample.notice", on=date(2026, 11, 23), by=by(city))
    assert go(city, "2026-12-10") == 0 and told(city) == []
    with city.app.db.connect() as connection:
        assert [r.open for r in case_rights(connection, case_id=case_id, at=city.app.clock.now())] == [True]


def test_limits_of_extension_and_spans_taken_twice_are_refused(city: ClockCity) -> None:
    case_id = city.case()
    city.start(case_id, "sample.notice")
    with city.app.db.begin() as connection:
        what: dict[str, Any] = {"case_id": case_id, "clock": "sample.notice", "by": by(city)}
        extend_clock(connection, amount=5, on=date(2026, 11, 20), **what)
        with pytest.raises(ClockRefused, match="合计不得超过 8 个工作日"):
            extend_clock(connection, amount=4, on=date(2026, 11, 20), **what)
        extend_clock(connection, amount=3, on=date(2026, 11, 20), **what)
        with pytest.raises(ClockRefused, match="最多延长 2 次"):
            extend_clock(connection, amount=1, on=date(2026, 11, 20), **what)
        exclude_span(connection, first=date(2026, 11, 20), last=date(2026, 11, 21), **what)
        with pytest.raises(ClockRefused, match="不能除外两次"):
            exclude_span(connection, first=date(2026, 11, 20), last=date(2026, 11, 21), **what)
        live = live_clock(connection, case_id=case_id, clock="sample.notice")
        assert live is not None and live.extensions == 2


def test_a_clock_in_hours_runs_by_the_instant(city: ClockCity) -> None:
    """Started on Friday at nine; suspended from noon to three: it ends on Saturday at noon."""
    case_id, run = city.case(), city.app.db
    city.start(case_id, "sample.urgent")
    go(city, "2026-11-20", hour=12)
    with run.begin() as connection:
        suspend_clock(connection, case_id=case_id, clock="sample.urgent", on=date(2026, 11, 20), by=by(city))
    go(city, "2026-11-20", hour=15)
    with run.begin() as connection:
        state = resume_clock(connection, case_id=case_id, clock="sample.urgent", on=date(2026, 11, 20), by=by(city))
    assert state.due_at == datetime(2026, 11, 21, 12, tzinfo=SHANGHAI)
    assert [go(city, "2026-11-21", hour=hour) for hour in (7, 8, 11, 12)] == [0, 1, 0, 1]
    with run.connect() as connection:
        (view,) = clocks_of(connection, case_id, date(2026, 11, 21), city.app.clock.now() + timedelta(minutes=90))
    assert (view.light, view.words) == ("late", "逾期 1 小时 30 分") and view.steps[-1]["value"] == "2026-11-21 12:00"


def test_another_warning_model_holds_for_running_clocks_from_its_day(city: ClockCity) -> None:
    case_id = city.case()
    city.start(case_id, "sample.notice")
    today = legal_date(city.app.clock.now())
    model: dict[str, Any] = {"clock": "sample.notice", "valid_from": today, "soon": "5 working_day", "steps": [{"when": "4 working_day before", "remind": ["office_head"]}], "source": "试行"}
    with pytest.raises(Forbidden):
        change_warning(city.app, actor=city.people["handler"], at=city.app.clock.now(), **model)
    for wrong in ({"source": " "}, {"valid_from": today - timedelta(days=1)}, {"steps": [{"when": "end", "close": "hearing"}]}, {"soon": "bald"}, {"steps": [{"when": "bald", "remind": ["handler"]}]}):
        with pytest.raises(Invalid):
            change_warning(city.app, actor=city.admin(), at=city.app.clock.now(), **{**model, **wrong})
    change_warning(city.app, actor=city.admin(), at=city.app.clock.now(), **model)
    city.app.jobs.run_due(city.app, at=city.app.clock.now())
    assert [go(city, day) for day in ("2026-11-23", "2026-11-24", "2026-11-26")] == [1, 0, 0]
    assert told(city)[0][0] == "head"
    with city.app.db.connect() as connection:
        (view,) = clocks_of(connection, case_id, date(2026, 11, 23), city.app.clock.now())
        assert view.light == "soon" and connection.scalar(select(case_clock.c.next_at)) == datetime(2026, 11, 28, tzinfo=SHANGHAI)
    assert go(city, "2026-11-28") == 1 and told(city)[1:] == []


@pytest.mark.parametrize(
    ("step", "words"),
    [({}, "只写一件事"), ({"when": "end"}, "只写一件事"), ({"when": "soon", "remind": ["handler"]}, "when"), ({"when": "end", "remind": ["boss"]}, "角色"), ({"when": "end", "remind": []}, "名字"),
     ({"when": "end", "block": ["x"]}, "流程"), ({"when": "end", "light": "blue"}, "light"), ({"when": "end", "message": ["a", "b"]}, "一个"), ({"when": "end", "close": "a", "x": 1}, "不认识"),
     ({"when": "end", "close": "a", "message": "b"}, "一件事")],
)
def test_a_step_that_reads_wrong_is_refused(step: Any, words: str) -> None:
    with pytest.raises(ClockRefused, match=words):
        parse_steps([step])


def test_a_missing_year_is_told_to_administrators_once_a_day_from_december(city: ClockCity) -> None:
    with city.app.db.begin() as connection:
        connection.execute(account.update().values(rights=["admin"]).where(account.c.login == "chief"))
        for day, count in ((30, 0), (31, 1)):
            at = datetime(2026, 11, day, 9, tzinfo=SHANGHAI) if day == 30 else datetime(2026, 12, 1, 9, tzinfo=SHANGHAI)
            assert tell_missing_year(connection, at=at) == count
        assert tell_missing_year(connection, at=datetime(2026, 12, 1, 15, tzinfo=SHANGHAI)) == 0
        assert tell_missing_year(connection, at=datetime(2026, 12, 2, 9, tzinfo=SHANGHAI)) == 1




def a_step(city: ClockCity, case_id: Any, title: str, *, due_on: date | None = None, assignee: str | None = "handler") -> None:
    """An open step of the case, opened now."""
    with city.app.db.begin() as connection:
        instance_id = connection.scalar(select(instance.c.id)) or an_instance(connection, case_id)
        connection.execute(insert(task).values(
            id=new_id(), instance_id=instance_id, case_id=case_id, engine_id=title, node="review", process="p.q", title=title, role="", status="open", due_on=due_on,
            assignee_id=city.people[assignee].person_id if assignee else None, opened_at=city.app.clock.now(),
        ))


def warned(city: ClockCity, day: str) -> list[tuple[str, str]]:
    city.app.clock.set(datetime.combine(date.fromisoformat(day), datetime.min.time(), SHANGHAI) + timedelta(hours=9))
    warn_late_steps(city.app, at=city.app.clock.now())
    with city.app.db.connect() as connection:
        rows = connection.execute(
            select(account.c.login, notice.c.text).join(account, account.c.person_id == notice.c.person_id).where(notice.c.at == city.app.clock.now()).order_by(account.c.login)
        ).all()
    return [(row.login, row.text.split("　")[0]) for row in rows]


def test_whoever_holds_a_step_is_warned_before_and_after_its_day_and_when_it_lies_too_long(city: ClockCity) -> None:
    case_id = city.case()
    a_step(city, case_id, "审核", due_on=date(2026, 11, 25))
    a_step(city, case_id, "初审")
    with city.app.db.connect() as connection:
        assert longest_open(connection, date(2026, 11, 20)) == 5
    assert warned(city, "2026-11-23") == []
    assert warned(city, "2026-11-24") == [("handler", "快到期：审核 应于 2026-11-25 办结")]
    assert warned(city, "2026-11-25") == []
    assert warned(city, "2026-11-26") == [("handler", "超期未办：审核 应于 2026-11-25 办结")]
    assert warned(city, "2026-11-27") == []
    assert warned(city, "2026-11-30") == [("handler", "超期未办：初审 放了很久还没有办"), ("head", "超期未办：初审 放了很久还没有办")]
    assert warned(city, "2026-12-01") == []
