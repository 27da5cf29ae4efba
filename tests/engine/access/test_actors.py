from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import Connection, event

from engine.access.actors import find_actor_by_login, load_actor
from engine.access.organisation import find_people, names_of, people_in_unit, posts_of, unit_tree
from engine.access.staffing import end_post, give_post
from engine.kernel.errors import Conflict, Forbidden
from tests.engine.access.organisation_factory import SINCE, TODAY, small_city


def test_an_actor_is_loaded_in_one_statement_with_all_posts(connection: Connection) -> None:
    city = small_city(connection)
    li = city.sit("li", "TA_s1", "officer", rights=("operator",))
    give_post(connection, person_id=li.person_id, unit_id=city.units["TA_s2"], code="unit_head", title="副所长", valid_from=SINCE)
    seen: list[str] = []
    listen = lambda *args: seen.append(args[2])  # noqa: E731
    event.listen(connection, "before_cursor_execute", listen)
    actor = load_actor(connection, li.account_id, None, TODAY)
    event.remove(connection, "before_cursor_execute", listen)
    assert len(seen) == 1
    assert (actor.name, actor.post_code, actor.unit_kind, actor.unit_path) == ("人li", "officer", "station", "T/TA/TA_s1/")
    assert actor.district_id == city.units["TA"]
    assert set(actor.posts) == {(city.units["TA_s1"], "officer"), (city.units["TA_s2"], "unit_head")}
    actor.require("operator")
    with pytest.raises(Forbidden, match="系统管理"):
        actor.require("admin")


def test_a_post_that_ended_or_has_not_begun_lets_nobody_in(connection: Connection) -> None:
    city = small_city(connection)
    li = city.sit("li", "TA_s1", "officer")
    later = give_post(
        connection, person_id=li.person_id, unit_id=city.units["TA_s2"], code="officer", title="执法员", valid_from=date(2026, 6, 1)
    )
    with pytest.raises(Forbidden):
        load_actor(connection, li.account_id, later, TODAY)
    end_post(connection, post_id=li.post_id, last_day=TODAY)
    assert load_actor(connection, li.account_id, li.post_id, TODAY).post_id == li.post_id
    with pytest.raises(Forbidden):
        load_actor(connection, li.account_id, li.post_id, date(2026, 3, 3))
    assert find_actor_by_login(connection, login="nobody", on=TODAY) is None


def test_the_tree_is_read_whole_and_below_a_path(connection: Connection) -> None:
    city = small_city(connection)
    (root,) = unit_tree(connection, path="T/")
    assert [child.code for child in root.children] == ["TA", "TB", "T_law"]
    assert [child.code for child in root.children[0].children] == ["TA_case", "TA_food", "TA_legal", "TA_s1", "TA_s2"]
    (district,) = unit_tree(connection, path="T/TB/")
    assert district.code == "TB"
    with pytest.raises(Conflict):
        city.unit("TA", "district_bureau", "T")


def test_people_are_found_by_name_or_pinyin_within_a_path(connection: Connection) -> None:
    city = small_city(connection)
    li, wang = city.sit("li", "TA_s1", "officer"), city.sit("wang", "TB_s1", "officer")
    assert [p.name for p in find_people(connection, text="人l", on=TODAY, path="T/")] == ["人li"]
    assert [p.name for p in find_people(connection, text="RENWA", on=TODAY, path="T/TB/")] == ["人wang"]
    assert find_people(connection, text="renwa", on=TODAY, path="T/TA/") == []
    assert [p.person_id for p in people_in_unit(connection, unit_id=city.units["TA_s1"], on=TODAY)] == [li.person_id]
    assert names_of(connection, person_ids=[li.person_id, wang.person_id])[wang.person_id] == "人wang"
    assert [row.unit_name for row in posts_of(connection, person_id=li.person_id, on=TODAY)] == ["单位TA_s1"]
