"""The scope predicate against a naive model: random cities, people and cases; who sees what by the words of the rule, one pair at a time."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Uuid, column, insert, select, values

from engine.access import Actor
from engine.access.actors import load_actor
from engine.access.grants import grant_case
from engine.access.scope import first_cases, may_see_case, sees_case, visible_cases
from engine.access.staffing import give_post
from engine.kernel.ids import new_id
from engine.storage.tables.cases import case_file
from engine.storage.tables.content import bundle, definition
from engine.storage.tables.organisation import unit
from engine.storage.tables.runtime import deputy, instance, task, task_candidate, task_signer
from tests.engine.access.organisation_factory import AT, SINCE, TODAY, City, small_city

UNITS = ("T", "T_law", "TA", "TA_food", "TA_legal", "TA_s1", "TA_s2", "TB", "TB_food", "TB_s1")
POSTS = ("officer", "unit_head", "section_head", "bureau_head", "legal_head", "section_staff", "legal_staff", "clerk")
HEADS, OFFICES = ("unit_head", "section_head", "bureau_head", "legal_head"), ("section_staff", "legal_staff", "clerk")
PEOPLE = 4

seat = st.tuples(st.sampled_from(UNITS), st.sampled_from(POSTS))
who = st.none() | st.integers(0, PEOPLE - 1)
case = st.fixed_dictionaries({
    "unit": st.sampled_from(UNITS), "handler": who, "opener": who, "granted": who, "grant_days": st.sampled_from((None, -1, 0, 1)), "assignee": who, "open": st.booleans(),
    "asked": who, "pool": st.none() | seat,
})
city_plan = st.fixed_dictionaries({
    "seats": st.lists(seat, min_size=PEOPLE, max_size=PEOPLE), "second": st.none() | seat, "cases": st.lists(case, min_size=1, max_size=4),
    "deputy": st.none() | st.tuples(st.integers(0, PEOPLE - 1), st.integers(0, PEOPLE - 1), st.sampled_from((-2, -1, 0, 1)), st.booleans()), "all": st.booleans(),
})


@dataclass
class Model:
    """What the words of the rule say, without SQL: parents instead of paths, loops instead of joins."""

    parents: Mapping[str, str | None]
    kinds: Mapping[str, str]

    def below(self, code: str | None, root: str) -> bool:
        while code is not None:
            if code == root:
                return True
            code = self.parents[code]
        return False

    def reach(self, place: str, post: str) -> str | None:
        """The unit whose cases, with those below, somebody sees by post."""
        bureau = self.parents[place] if self.kinds[place] in ("section", "legal_section") else place
        at_city = not any(self.below(place, district) for district in ("TA", "TB"))
        if post in HEADS:
            return bureau
        if post in OFFICES:
            return place if at_city else bureau
        return None

    def sees(self, plan: Mapping[str, Any], me: int, one: Mapping[str, Any]) -> bool:
        place, post = plan["seats"][me]
        root = self.reach(place, post)
        posts = {plan["seats"][me]} | ({plan["second"]} if me == 0 and plan["second"] else set())
        stands = plan["deputy"]
        for_other = stands and stands[1] == me and stands[2] >= 0 and not stands[3] and one["assignee"] == stands[0] and one["open"]
        return bool(
            (plan["all"] and me == 0) or me in (one["handler"], one["opener"]) or (one["granted"] == me and one["grant_days"] in (None, 0, 1))
            or (one["open"] and one["assignee"] == me) or one["asked"] == me or (one["pool"] in posts and one["open"] and one["assignee"] is None) or for_other
            or (root is not None and self.below(one["unit"], root))
        )


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=city_plan)
def test_the_query_says_what_the_rule_says(connection: Connection, plan: dict[str, Any]) -> None:
    with connection.begin_nested() as nested:
        city = small_city(connection)
        people = [city.sit(f"p{n}", *plan["seats"][n], rights=("see_all_cases",) if plan["all"] and n == 0 else ()) for n in range(PEOPLE)]
        if plan["second"]:
            give_post(connection, person_id=people[0].person_id, unit_id=city.units[plan["second"][0]], code=plan["second"][1], title="兼任", valid_from=SINCE)
        if plan["deputy"] and plan["deputy"][0] != plan["deputy"][1]:
            _appoint(connection, people, *plan["deputy"])
        elif plan["deputy"]:
            plan = {**plan, "deputy": None}
        ids = [_case(city, people, one) for one in plan["cases"]]
        shown = values(column("case_id", Uuid()), name="shown").data([(id,) for id in ids]) if ids else None
        rows = connection.execute(select(unit.c.id, unit.c.code, unit.c.parent_id, unit.c.kind)).all()
        codes = {row.id: row.code for row in rows}
        model = Model({row.code: codes.get(row.parent_id) for row in rows}, {row.code: row.kind for row in rows})
        for n in range(PEOPLE):
            actor = load_actor(connection, people[n].account_id, people[n].post_id, TODAY)
            found = set(connection.scalars(visible_cases(actor)))
            changed = select(case_file.c.id, case_file.c.updated_at)
            newest = connection.execute(first_cases(changed, actor, limit=9)).all()
            assert {row.id for row in newest} == found & set(ids) == set(connection.scalars(first_cases(changed, actor, limit=9, newest=False))) and len(newest) == len(found & set(ids))
            assert [row[:2] for row in newest] == sorted((tuple(row) for row in newest), key=lambda row: (row[1], row[0].bytes), reverse=True)
            assert connection.execute(first_cases(changed, actor, limit=1)).all() == newest[:1]
            if shown is not None:
                assert set(connection.scalars(select(shown.c.case_id).where(sees_case(actor, shown.c.case_id, of=shown)))) == found & set(ids)
            for id, one in zip(ids, plan["cases"], strict=True):
                assert ((id in found), may_see_case(connection, actor, id)) == (model.sees(plan, n, one),) * 2, (plan["seats"][n], one)
        nested.rollback()


def _appoint(connection: Connection, people: list[Actor], principal: int, stands_in: int, days: int, ended: bool) -> None:
    connection.execute(insert(deputy).values(
        id=new_id(), person_id=people[principal].person_id, deputy_id=people[stands_in].person_id, from_on=TODAY - timedelta(days=9), until_on=TODAY + timedelta(days=days),
        processes=[], reason="", ended_at=AT if ended else None, created_at=AT,
    ))


def _case(city: City, people: list[Actor], one: Mapping[str, Any]) -> UUID:
    def of(key: str) -> Actor | None:
        return None if one[key] is None else people[one[key]]

    id = city.case(one["unit"], handler=of("handler"), created_by=of("opener"))
    if granted := of("granted"):
        last = None if one["grant_days"] is None else TODAY + timedelta(days=one["grant_days"])
        grant_case(city.connection, case_id=id, person_ids=[granted.person_id], reason="shared", at=AT, last_day=last)
    assignee, run = of("assignee"), city.connection.execute
    task_id = _task(city, id, assignee_id=assignee.person_id if assignee else None, status="open" if one["open"] else "done")
    if one["pool"]:
        run(insert(task_candidate).values(task_id=task_id, unit_id=city.units[one["pool"][0]], post=one["pool"][1], open=one["open"] and assignee is None))
    if asked := of("asked"):
        run(insert(task_signer).values(
            id=new_id(), task_id=task_id, case_id=id, person_id=asked.person_id, person_name="人", kind="before", status="open", asked_by=asked.person_id, asked_name="人", words="", asked_at=AT,
        ))
    return id


def _task(city: City, case_id: UUID, **values: Any) -> UUID:
    """A step of a running instance of its own."""
    ids = {name: new_id() for name in ("definition", "bundle", "instance", "task")}
    run, word = city.connection.execute, str(case_id)
    run(insert(definition).values(id=ids["definition"], kind="process", name=word, version=1, content=b"", hash=word, source="folder", created_at=AT))
    run(insert(bundle).values(id=ids["bundle"], root=word, hash=word, members={}, created_at=AT))
    run(insert(instance).values(
        id=ids["instance"], case_id=case_id, bundle_id=ids["bundle"], definition_id=ids["definition"], process="p.q", title="流程", status="running", rev=1, state=b"",
        started_at=AT, updated_at=AT,
    ))
    run(insert(task).values(
        id=ids["task"], instance_id=ids["instance"], case_id=case_id, engine_id="1", node="n", process="p.q", title="步骤", role="p.handler", opened_at=AT, **values,
    ))
    return ids["task"]
