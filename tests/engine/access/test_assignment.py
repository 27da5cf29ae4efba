from __future__ import annotations

from datetime import date

from sqlalchemy import Connection

from engine.access.assignment import add_role_holder, candidates, end_role_holder, holders, holds_role, roles_held, seed_role_holders
from engine.access.staffing import end_post
from engine.packs.manifest import Role
from tests.engine.access.organisation_factory import SINCE, TODAY, City, small_city

ROLES = [
    Role(name="p.handler", title="承办人", post="officer", unit="station"),
    Role(name="p.section_staff", title="科室工作人员", post="section_staff", unit="section", scope="agency"),
    Role(name="p.bureau_head", title="负责人", post="bureau_head", unit="district_bureau", scope="agency"),
    Role(name="p.city_staff", title="处室", post="section_staff", unit="section", scope="city"),
]


def staffed(connection: Connection) -> City:
    city = small_city(connection)
    for district in ("TA", "TB"):
        city.sit(f"{district}_officer".lower(), f"{district}_s1", "officer")
        city.sit(f"{district}_food_staff".lower(), f"{district}_food", "section_staff")
        city.sit(f"{district}_case_staff".lower(), f"{district}_case", "section_staff")
        city.sit(f"{district}_head".lower(), district, "bureau_head")
    city.sit("city_staff", "T_law", "section_staff")
    city.sit("city_head", "T", "bureau_head")
    seed_role_holders(connection, roles=ROLES)
    return city


def found(city: City, role: str, unit: str, *, named: str | None = None, on: date = TODAY) -> set[tuple[str, str]]:
    codes = {id: code for code, id in city.units.items()}
    pairs = candidates(city.connection, role=role, case_unit_id=city.units[unit], on=on, unit_id=city.units[named] if named else None)
    return {(codes[unit_id], post) for unit_id, post in pairs}


def test_scopes_are_relative_to_the_unit_of_the_case(connection: Connection) -> None:
    city = staffed(connection)
    assert found(city, "p.handler", "TA_s1") == {("TA_s1", "officer")}
    assert found(city, "p.section_staff", "TA_s1") == {("TA_food", "section_staff"), ("TA_case", "section_staff")}
    assert found(city, "p.bureau_head", "TB_s1") == {("TB", "bureau_head")}
    assert found(city, "p.city_staff", "TB_s1") == {("T_law", "section_staff")}


def test_at_city_level_the_city_bureau_stands_for_the_district_bureau(connection: Connection) -> None:
    assert found(staffed(connection), "p.bureau_head", "T_law") == {("T", "bureau_head")}


def test_nobody_is_an_empty_list_and_never_everyone(connection: Connection) -> None:
    city = staffed(connection)
    assert found(city, "p.handler", "TA_s2") == set()
    assert found(city, "p.unknown", "TA_s1") == set()
    officer = city.actor("ta_officer")
    end_post(connection, post_id=officer.post_id, last_day=TODAY)
    assert found(city, "p.handler", "TA_s1", on=date(2026, 3, 3)) == set()


def test_a_named_unit_is_looked_up_itself_when_it_is_of_the_kind(connection: Connection) -> None:
    city = staffed(connection)
    assert found(city, "p.section_staff", "TA_s1", named="TA_food") == {("TA_food", "section_staff")}
    assert found(city, "p.bureau_head", "TA_s1", named="TB_s2") == {("TB", "bureau_head")}


def test_squads_and_stations_are_one_level(connection: Connection) -> None:
    city = small_city(connection)
    city.unit("U", "city_bureau", None, "urban_management")
    city.unit("UA", "district_bureau", "U", "urban_management")
    city.unit("UA_q1", "squad", "UA", "urban_management")
    city.sit("squad", "UA_q1", "officer")
    seed_role_holders(connection, roles=ROLES)
    assert found(city, "p.handler", "UA_q1") == {("UA_q1", "officer")}


def test_administrators_move_a_role_by_dated_rows(connection: Connection) -> None:
    city = staffed(connection)
    added = add_role_holder(
        connection,
        role="p.handler",
        post_code="section_staff",
        unit_kind="section",
        scope="agency",
        valid_from=TODAY,
        source="区局文件",
        unit_id=city.units["TA_case"],
    )
    assert found(city, "p.handler", "TA_s1") == {("TA_s1", "officer"), ("TA_case", "section_staff")}
    assert found(city, "p.handler", "TA_s1", on=date(2026, 3, 1)) == {("TA_s1", "officer")}
    end_role_holder(connection, id=added, last_day=date(2026, 3, 1))
    assert found(city, "p.handler", "TA_s1") == {("TA_s1", "officer")}
    assert seed_role_holders(connection, roles=ROLES) == 0


def test_what_posts_may_act_in_is_known_before_there_is_a_case(connection: Connection) -> None:
    city = staffed(connection)
    officer, staff = city.actor("ta_officer"), city.actor("ta_food_staff")
    assert roles_held(connection, posts=officer.posts, on=TODAY) == {"p.handler"}
    assert holds_role(connection, role="p.section_staff", posts=staff.posts, on=TODAY)
    assert not holds_role(connection, role="p.handler", posts=staff.posts, on=TODAY)
    assert not holds_role(connection, role="p.handler", posts=(), on=TODAY)
    (holder,) = holders(connection, pairs=officer.posts, on=TODAY)
    assert (holder.name, holder.post, holder.unit_name) == ("人ta_officer", "officer", "TA_s1")
    assert SINCE < TODAY
