"""Bulletins: sent to a chosen audience, read, answered, reminded of; and the board."""
from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from engine.kernel.clock import SHANGHAI, FixedClock
from engine.kernel.errors import Forbidden, GuichengError, Invalid, NotFound
from engine.kernel.ids import new_id
from engine.registers.catalogue import get_register
from engine.registers.scope import visible
from engine.runtime.edit_record import change_record, create_record, remove_record
from engine.runtime.queries import registers as query
from engine.runtime.run_clock_steps import run_clock_steps
from engine.storage.tables.cases import case_file
from tests.packs.walk import Walker

PUBLISH = "bulletin.publish"
BOARD = "bulletin.board"


@pytest.fixture
def walk(squads: Walker) -> Walker:
    return squads


def bulletin(walk: Walker, **changes: Any) -> dict[str, Any]:
    return {
        "title": "二〇二六年十月执法情况通报", "kind": "monthly", "content": "十月份全区立案一百二十件。", "kinds": ["squad"], "reading_days": 3, "feedback": True,
        "ask": "请报整改情况。", "feedback_days": 5, **changes,
    }


def publish(walk: Walker, who: str = "a_staff", **changes: Any) -> UUID:
    """The parent's id, its units' cases made."""
    walk.start(who, PUBLISH, bulletin(walk, **changes))
    walk.run_jobs()
    assert walk.case_id is not None
    return walk.case_id


def at_unit(walk: Walker, parent: UUID, code: str) -> Walker:
    """A walker on the case of one unit."""
    with walk.app.db.connect() as connection:
        id = connection.scalar(select(case_file.c.id).where(case_file.c.parent_id == parent, case_file.c.unit_id == walk.bureau.units[code]))
    one = Walker(walk.app, walk.bureau)
    one.case_id = id
    return one


def copies(walk: Walker, parent: UUID) -> dict[str, dict[str, Any]]:
    """Code of the unit → its copy."""
    codes = {id: code for code, id in walk.bureau.units.items()}
    with walk.app.db.connect() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM reg.bulletin__bulletin_copy WHERE case_id = %s", (parent,)).mappings()
        return {codes[row["receiver"]]: dict(row) for row in rows}


def told(walk: Walker, login: str) -> list[str]:
    with walk.app.db.connect() as connection:
        return list(connection.exec_driver_sql("SELECT text FROM notice WHERE person_id = %s ORDER BY at", (walk.actor(login).person_id,)).scalars())


def run_until(walk: Walker, day: str) -> None:
    at = datetime.fromisoformat(day).replace(hour=9, tzinfo=SHANGHAI)
    clock = walk.app.clock
    assert isinstance(clock, FixedClock)
    clock.set(at)
    run_clock_steps(walk.app, at)


@pytest.mark.requirement("CMD-051")
def test_a_unit_reads_and_answers_and_the_publisher_sees_who(walk: Walker) -> None:
    parent = publish(walk)
    assert {code: row["state"] for code, row in copies(walk, parent).items()} == {"CG-A-1": "unread", "CG-A-2": "unread"}
    one = at_unit(walk, parent, "CG-A-1")
    assert one.holders("read") == {"a1_head"}
    assert str(one.task("read")["due_on"]) == "2026-11-25"
    one.do("a1_head", "read", "read", {}, opinion="")
    assert str(one.task("answer")["due_on"]) == "2026-11-27"
    one.do("a1_head", "answer", "submit", {"answer": "已经整改。"}, opinion="")
    row = copies(walk, parent)["CG-A-1"]
    assert (row["state"], row["read_by"], str(row["read_on"]), row["fed_by"], row["answer"]) == ("answered", "周启衡", "2026-11-20", "周启衡", "已经整改。")
    assert one.case()["closed_at"] is not None
    assert any("已经反馈" in text for text in told(walk, "a_staff"))
    assert walk.case()["state"] == "published"


@pytest.mark.requirement("CMD-051")
def test_unread_and_unanswered_are_reminded_of_separately(walk: Walker) -> None:
    parent = publish(walk)
    at_unit(walk, parent, "CG-A-1").do("a1_head", "read", "read", {}, opinion="")
    walk.matter("a_staff", "bulletin.remind", {"whom": "unread", "words": "请今天阅读。"})
    walk.matter("a_staff", "bulletin.remind", {"whom": "waiting"})
    assert [any("请今天阅读" in text for text in told(walk, who)) for who in ("a1_head", "a2_head")] == [False, True]
    assert [any("还没有反馈，请尽快反馈" in text for text in told(walk, who)) for who in ("a1_head", "a2_head")] == [True, False]
    at_unit(walk, parent, "CG-A-2").do("a2_head", "read", "read", {}, opinion="")
    with pytest.raises(Invalid) as refused:
        walk.matter("a_staff", "bulletin.remind", {"whom": "unread"})
    assert set(refused.value.fields) == {"whom"}


@pytest.mark.requirement("CMD-051")
def test_the_system_reminds_who_is_late_of_what_is_missing(walk: Walker) -> None:
    parent = publish(walk)
    at_unit(walk, parent, "CG-A-1").do("a1_head", "read", "read", {}, opinion="")
    for day in ("2026-11-24", "2026-11-26"):
        run_until(walk, day)
    assert sum("未阅" in text or "还没有阅读" in text for text in told(walk, "a2_head")) == 2
    assert not any("未阅" in text for text in told(walk, "a1_head"))
    run_until(walk, "2026-11-28")
    assert any("仍未反馈" in text for text in told(walk, "a1_head"))
    assert not any("反馈" in text for text in told(walk, "a2_head"))


@pytest.mark.requirement("CMD-050")
@pytest.mark.parametrize("kind", ["law", "monthly", "news"])
def test_the_city_publishes_each_kind_to_the_units_it_chooses(walk: Walker, kind: str) -> None:
    units = walk.bureau.units
    more = {"kinds": ["squad"], "areas": [{"area": str(units["CG-B"])}], "units": [{"unit": str(units["CG-A-ZF"])}]}
    parent = publish(walk, "city_staff", kind=kind, feedback=False, **more)
    assert set(copies(walk, parent)) == {"CG-B-1", "CG-B-2", "CG-A-ZF"}
    for code, who in (("CG-B-1", "b1_head"), ("CG-B-2", "b2_head"), ("CG-A-ZF", "a_staff")):
        at_unit(walk, parent, code).do(who, "read", "read", {}, opinion="")
    walk.run_jobs()
    assert walk.case()["state"] == "closed"
    assert {row["state"] for row in copies(walk, parent).values()} == {"read"}


@pytest.mark.requirement("CMD-050")
def test_only_the_audience_and_those_above_it_see_a_copy(walk: Walker) -> None:
    publish(walk)
    register, table = get_register(walk.app.library, "bulletin.bulletin_copy")
    with walk.app.db.connect() as connection:
        seen = {login: len(connection.execute(visible(register, table, walk.actor(login), table.c.id)).all()) for login in ("a1_officer", "a_staff", "city_staff", "b_staff", "b1_officer")}
    assert seen == {"a1_officer": 1, "a_staff": 2, "city_staff": 2, "b_staff": 0, "b1_officer": 0}


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"kinds": [], "units": []}, "kinds"), ({"kinds": ["station"]}, "kinds"), ({"title": ""}, "title"), ({"ask": ""}, "ask"), ({"reading_days": 0}, "reading_days")],
)
def test_a_bulletin_to_nobody_or_without_what_it_needs_is_refused(walk: Walker, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        walk.start("a_staff", PUBLISH, bulletin(walk, **changes))
    assert set(refused.value.fields) == {field}


def test_a_district_publishes_to_itself_only(walk: Walker) -> None:
    with pytest.raises(Invalid) as refused:
        walk.start("a_staff", PUBLISH, bulletin(walk, units=[{"unit": str(walk.bureau.units["CG-B-1"])}]))
    assert set(refused.value.fields) == {"units"}


@pytest.mark.requirement("CMD-050")
def test_a_squad_publishes_nothing_and_reads_nothing_of_others(walk: Walker) -> None:
    with pytest.raises(GuichengError):
        walk.start("a1_head", PUBLISH, bulletin(walk))
    parent = publish(walk)
    with pytest.raises(GuichengError):
        at_unit(walk, parent, "CG-A-1").do("a2_head", "read", "read", {}, opinion="")


@pytest.mark.requirement("CMD-042")
def test_the_board_is_kept_by_publishers_and_read_by_everybody(walk: Walker) -> None:
    app, key = walk.app, new_id()
    notice = {"title": "系统维护通知", "shown_from": "2026-11-20", "content": "周六零时至四时停机。"}

    def read(login: str) -> Any:
        register, table = get_register(app.library, BOARD)
        with app.db.connect() as connection:
            return query.one(connection, actor=walk.actor(login), register=register, table=table, record_id=key)[0]

    create_record(app, actor=walk.actor("a_staff"), register=BOARD, data=notice, key=key, at=walk.at)
    assert {read(login).values["title"] for login in ("a1_officer", "b1_officer", "city_head")} == {"系统维护通知"}
    with pytest.raises(Forbidden):
        create_record(app, actor=walk.actor("a1_officer"), register=BOARD, data=notice, key=new_id(), at=walk.at)
    with pytest.raises(Forbidden):
        change_record(app, actor=walk.actor("b_staff"), register=BOARD, record_id=key, data=notice, reason="改", rev=read("b_staff").rev, at=walk.at)
    change_record(app, actor=walk.actor("a_staff"), register=BOARD, record_id=key, data={**notice, "content": "改为周日。"}, reason="改期", rev=read("a_staff").rev, at=walk.at)
    assert read("b1_officer").values["content"] == "改为周日。"
    remove_record(app, actor=walk.actor("a_staff"), register=BOARD, record_id=key, reason="已经维护完", rev=read("a_staff").rev, at=walk.at)
    with pytest.raises(NotFound):
        read("b1_officer")
