from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import Connection, insert, select

from engine.access import Actor
from engine.access.actors import load_actor
from engine.access.grants import grant_case, grants_of, revoke_grant
from engine.access.scope import may_see_case, require_case, restrict, visible_cases
from engine.kernel.errors import NotFound
from engine.kernel.ids import new_id
from engine.storage.tables.cases import case_file
from engine.storage.tables.content import bundle, definition
from engine.storage.tables.runtime import instance, task, task_candidate
from tests.engine.access.organisation_factory import AT, TODAY, City, small_city


def sees(city: City, actor: Actor) -> set[object]:
    found = set(city.connection.execute(visible_cases(actor)).scalars())
    for case_id in city.connection.execute(select(case_file.c.id)).scalars():
        assert may_see_case(city.connection, actor, case_id) == (case_id in found)
    assert set(city.connection.execute(restrict(select(case_file.c.id), actor)).scalars()) == found
    return found


def test_posts_open_the_subtree_that_they_stand_above(connection: Connection) -> None:
    city = small_city(connection)
    a1, a2, b1 = city.case("TA_s1"), city.case("TA_s2"), city.case("TB_s1")
    assert sees(city, city.sit("head_of_station", "TA_s1", "unit_head")) == {a1}
    assert sees(city, city.sit("staff", "TA_food", "section_staff")) == {a1, a2}
    assert sees(city, city.sit("legal", "TA_legal", "legal_head")) == {a1, a2}
    assert sees(city, city.sit("head", "TB", "bureau_head")) == {b1}
    assert sees(city, city.sit("city_head", "T", "bureau_head")) == {a1, a2, b1}
    assert sees(city, city.sit("city_section_head", "T_law", "section_head")) == {a1, a2, b1}
    assert sees(city, city.sit("city_section_staff", "T_law", "section_staff")) == set()
    assert sees(city, city.sit("officer", "TA_s1", "officer")) == set()
    assert sees(city, city.sit("auditor", "TA_s1", "officer", rights=("see_all_cases",))) == {a1, a2, b1}


def test_handlers_openers_and_people_with_a_grant_see_their_cases(connection: Connection) -> None:
    city = small_city(connection)
    li, wang = city.sit("li", "TA_s1", "officer"), city.sit("wang", "TB_s1", "officer")
    handled, opened, other = city.case("TA_s2", handler=li), city.case("TB_s1", created_by=li), city.case("TB_s1")
    assert sees(city, li) == {handled, opened}
    grant_case(connection, case_id=other, person_ids=[li.person_id], reason="shared", at=AT, last_day=TODAY)
    assert sees(city, li) == {handled, opened, other}
    tomorrow = load_actor(connection, li.account_id, None, date(2026, 3, 3))
    assert sees(city, tomorrow) == {handled, opened}
    grant_case(connection, case_id=other, person_ids=[li.person_id, wang.person_id], reason="shared", at=AT)
    assert sees(city, tomorrow) == {handled, opened, other}
    assert {row.name for row in grants_of(connection, case_id=other)} == {"人li", "人wang"}
    assert revoke_grant(connection, case_id=other, person_id=li.person_id)
    assert sees(city, li) == {handled, opened}
    with pytest.raises(NotFound):
        require_case(connection, li, other)


def test_a_step_in_hand_or_in_the_pool_opens_its_case_while_it_is_open(connection: Connection) -> None:
    city = small_city(connection)
    li, wang = city.sit("li", "TA_s1", "officer"), city.sit("wang", "TA_s1", "officer")
    case_id = city.case("TA_s1")
    task_id = open_task(city, case_id, "TA_s1")
    assert sees(city, li) == sees(city, wang) == {case_id}
    connection.execute(task_candidate.update().values(open=False))
    connection.execute(task.update().where(task.c.id == task_id).values(assignee_id=li.person_id))
    assert (sees(city, li), sees(city, wang)) == ({case_id}, set())
    connection.execute(task.update().where(task.c.id == task_id).values(status="done"))
    assert sees(city, li) == set()


def open_task(city: City, case_id: object, unit: str) -> object:
    ids = {name: new_id() for name in ("definition", "bundle", "instance", "task")}
    run = city.connection.execute
    run(
        insert(definition).values(
            id=ids["definition"], kind="process", name="p.q", version=1, content=b"", hash="h", source="folder", created_at=AT
        )
    )
    run(insert(bundle).values(id=ids["bundle"], root="p.q", hash="h", members={}, created_at=AT))
    run(
        insert(instance).values(
            id=ids["instance"],
            case_id=case_id,
            bundle_id=ids["bundle"],
            definition_id=ids["definition"],
            process="p.q",
            title="流程",
            status="running",
            rev=1,
            state=b"",
            started_at=AT,
            updated_at=AT,
        )
    )
    run(
        insert(task).values(
            id=ids["task"],
            instance_id=ids["instance"],
            case_id=case_id,
            engine_id="1",
            node="n",
            process="p.q",
            title="步骤",
            role="p.handler",
            status="open",
            opened_at=AT,
        )
    )
    run(insert(task_candidate).values(task_id=ids["task"], unit_id=city.units[unit], post="officer"))
    return ids["task"]
