"""An approved filing hands the case over: the ordinary case begins by itself, once, with the officer who handles it."""
from __future__ import annotations

from engine.runtime.begin_process import begin_process
from tests.packs.case_filing.clues import apply_for_filing, up_to_the_agency_head
from tests.packs.walk import Walker


def test_a_filed_case_begins_by_itself_with_its_officer(walk: Walker) -> None:
    apply_for_filing(walk)
    up_to_the_agency_head(walk)
    walk.do("agency_head", "agency_approval", "approve")
    with walk.app.db.connect() as connection:
        jobs = connection.exec_driver_sql("SELECT args FROM procrastinate_jobs WHERE task_name = 'runtime.begin_process'").all()
    assert len(jobs) == 1
    for _ in range(2):
        begin_process(walk.app, **jobs[0].args)

    walk.case_id = walk.links()["became"]
    assert (walk.waiting(), walk.holders("investigate")) == ({"investigate"}, {"officer"})
    assert walk.task("investigate")["due_on"] == walk.clocks()[0]["due_on"]
    assert walk.acts()[0]["actor_name"] == "系统"
