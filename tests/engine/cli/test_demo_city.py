from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from engine.access.assignment import candidates
from engine.access.audit import chains, verify
from engine.cli.demo.load_city import load_city
from engine.cli.demo.load_seals import load_seals
from engine.cli.demo.plan import city_plan, parties, read
from engine.cli.demo.play import play_stories
from engine.cli.demo.script import login_of, planned_acts
from engine.form_filling.checks import credit_code, identity_number
from engine.kernel.clock import SHANGHAI, legal_date
from engine.reference.calendars import published_calendar
from engine.runtime.invariants import find_violations
from engine.storage.tables.cases import case_clock, case_file, party
from engine.storage.tables.documents import number_book
from engine.storage.tables.organisation import account, unit
from engine.storage.tables.runtime import act, incident, task, task_candidate

PLAN = city_plan()
CALENDAR = published_calendar()
DISTRICTS = [
    *("黄浦区", "徐汇区", "长宁区", "静安区", "普陀区", "虹口区", "杨浦区", "闵行区"),
    *("宝山区", "嘉定区", "浦东新区", "金山区", "松江区", "青浦区", "奉贤区", "崇明区"),
]


def test_both_bureaus_have_sixteen_districts_by_name_with_their_units() -> None:
    for bureau, field, suffix in (("market_regulation", "station", "市场监督管理局"), ("urban_management", "squad", "城市管理行政执法局")):
        names = [u.name for u in PLAN.units if u.bureau == bureau and u.kind == "district_bureau"]
        assert names == [f"上海市{district}{suffix}" for district in DISTRICTS]
        for district in (u for u in PLAN.units if u.bureau == bureau and u.kind == "district_bureau"):
            kinds = [u.kind for u in PLAN.units if u.parent == district.code]
            assert kinds.count(field) == 2 and "section" in kinds and kinds.count("legal_section") == 1


def test_names_logins_and_codes_are_never_given_twice_and_every_field_office_has_two_officers() -> None:
    for values in ([p.name for p in PLAN.people], [p.login for p in PLAN.people], [u.code for u in PLAN.units]):
        assert len(set(values)) == len(values)
    for office in (u for u in PLAN.units if u.kind in ("station", "squad")):
        officers = [p for p in PLAN.people if p.unit == office.code and p.post == "officer"]
        assert len(officers) >= 2 and all(p.certificate for p in officers)


def test_numbers_of_invented_parties_have_right_check_digits_and_belong_to_no_place() -> None:
    known = parties()
    for one in known.values():
        if one["kind"] == "person":
            identity_number.check(one["identifier"], today=date(2026, 11, 20))
        else:
            credit_code.check(one["identifier"])
        assert "310199" in one["identifier"]
    assert len({one["identifier"] for one in known.values()}) == len(known)


@pytest.mark.parametrize(
    "now",
    [
        datetime(2026, 11, 20, 9, 5, tzinfo=SHANGHAI),
        datetime(2026, 11, 22, 15, 0, tzinfo=SHANGHAI),
        datetime(2026, 11, 23, 0, 10, tzinfo=SHANGHAI),
        datetime(2026, 10, 5, 12, 0, tzinfo=SHANGHAI),
        datetime(2027, 2, 3, 18, 0, tzinfo=SHANGHAI),
    ],
)
def test_acts_happen_in_order_on_working_days_and_before_now(now: datetime) -> None:
    acts = planned_acts(calendar=CALENDAR, now=now)
    assert [a.at for a in acts] == sorted(a.at for a in acts) and acts[-1].at < now
    by_story: dict[str, list[Any]] = {}
    for planned in acts:
        assert CALENDAR.is_working(legal_date(planned.at))
        assert planned.story.facts.get("received_on", planned.story.facts.get("first_day", "")) <= legal_date(planned.at).isoformat()
        by_story.setdefault(planned.story.key, []).append(planned)
    assert len([key for key in by_story if "." not in key]) == len(read("stories")["cases"]) >= 30
    for story in by_story.values():
        assert [int(a.key.split(":")[2]) for a in story] == list(range(len(story)))
        assert len({a.at for a in story}) == len(story)


def test_everybody_in_the_stories_has_an_account() -> None:
    logins = {person.login for person in PLAN.people}
    for planned in planned_acts(calendar=CALENDAR, now=datetime(2026, 11, 20, 9, 0, tzinfo=SHANGHAI)):
        if planned.story.people:
            assert set(planned.story.people.values()) <= logins
            continue
        for who in ("officer", "second", "office_head", "staff", "section_head", "joint_staff", "joint_head", "agency_head"):
            assert login_of(planned.story, who) in logins


def test_the_stories_of_a_pack_leave_its_cases_at_every_stage(app: Any) -> None:
    now = app.clock.now()
    stories = {planned.story.key for planned in planned_acts(calendar=CALENDAR, now=now) if planned.story.key.startswith("construction_waste_transfer.")}
    load_city(app, PLAN, at=now)
    assert play_stories(app, now=now, only=stories) > 60
    with app.db.connect() as connection:
        states = set(connection.scalars(select(case_file.c.state_title)))
        assert connection.scalar(select(func.count()).select_from(incident)) == 0
        assert_open_tasks_have_holders(connection)
    assert {"填写申请", "移交审核中", "派发中", "处置中", "结果审核中", "已办结", "不予移交"} <= states
    assert play_stories(app, now=now + timedelta(days=2), only=stories) == 0


def test_every_role_of_every_pack_is_held_wherever_a_case_may_be(app: Any) -> None:
    load_city(app, PLAN, at=app.clock.now())
    with app.db.connect() as connection:
        places = connection.execute(select(unit.c.id, unit.c.bureau, unit.c.name, unit.c.kind)).all()
        for role in app.catalogue.roles():
            if role.kind == "party":
                continue
            elsewhere = role.scope == "own" and role.unit not in ("station", "squad")
            fitting = [place for place in places if role.bureau in (None, place.bureau) and (place.kind == role.unit if elsewhere else place.kind in ("station", "squad"))]
            held = [bool(candidates(connection, role=role.name, case_unit_id=place.id, on=app.clock.today())) for place in fitting[:: max(len(fitting) // 12, 1)]]
            assert any(held) if elsewhere or "office" in role.unit else all(held), role.name


def test_the_city_is_made_once_and_its_cases_hold_every_invariant(app: Any) -> None:
    now = app.clock.now()
    stories = {case["key"] for case in read("stories")["cases"] if case["at"] == "jingan.suo1"}
    load_city(app, PLAN, at=now)
    load_seals(app, at=now, below="MR/MR-310106/")
    assert play_stories(app, now=now, only=stories) > 60
    with app.db.connect() as connection:
        before = counts(connection)
        assert all(verify(connection, chain) is None for chain in chains(connection))
        assert connection.scalar(select(func.count()).select_from(incident)) == 0
        assert {"已立案", "不予立案", "已并案", "已登记", "期限暂停", "待登记", "调查中"} <= set(
            connection.scalars(select(case_file.c.state_title))
        )
        assert connection.scalar(select(func.max(act.c.at))) < now
        assert_numbers_have_no_gaps(connection)
        assert_open_tasks_have_holders(connection)
    assert find_violations(app) == []
    with app.db.connect() as connection:
        late = select(func.count()).select_from(case_clock).where(case_clock.c.state == "running", case_clock.c.due_on < legal_date(now))
        assert connection.scalar(late) >= 1
    assert load_city(app, PLAN, at=now) == 0 == load_seals(app, at=now, below="MR/MR-310106/")
    assert play_stories(app, now=now + timedelta(days=3), only=stories) == 0
    with app.db.connect() as connection:
        assert counts(connection) == before


def counts(connection: Any) -> list[int]:
    return [connection.scalar(select(func.count()).select_from(t)) for t in (act, task, case_file, account, party, number_book)]


def assert_numbers_have_no_gaps(connection: Any) -> None:
    b = number_book.c
    rows = connection.execute(select(func.count(), func.min(b.seq), func.max(b.seq)).group_by(b.unit_id, b.year, b.kind)).all()
    assert rows and all(least == 1 and most == count for count, least, most in rows)


def assert_open_tasks_have_holders(connection: Any) -> None:
    pooled = select(task_candidate.c.task_id).where(task_candidate.c.open)
    orphans = select(func.count()).select_from(task).where(task.c.status == "open", task.c.assignee_id.is_(None), task.c.id.not_in(pooled))
    assert connection.scalar(orphans) == 0
