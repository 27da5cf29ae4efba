"""流转日志: where the ticket was, with whom, from when to when, for how long, and what came of it."""
from __future__ import annotations

from datetime import timedelta

import pytest

from engine.kernel.clock import FixedClock
from engine.kernel.errors import NotFound
from engine.runtime.queries.journey import journey, stays
from engine.runtime.withdraw_act import withdraw_act
from tests.browser import Browser
from tests.packs.construction_waste_transfer.tickets import person, reviewed
from tests.packs.walk import Walker


@pytest.mark.requirement("CMD-173")
@pytest.mark.parametrize("to", ["CG-B", "CG-A-2"])
def test_every_hop_has_unit_person_time_and_stay(walk: Walker, clock: FixedClock, to: str) -> None:
    reviewed(walk, to=to)
    district, squad, officer = ("CG-B", "CG-B-1", "b1_officer") if to == "CG-B" else ("CG-A", "CG-A-2", "a2_officer")
    staff, head = ("b_staff", "b1_head") if to == "CG-B" else ("a_staff", "a2_head")
    if to == "CG-B":
        walk.do("city_staff", "city_dispatch", "dispatch", {"district": str(walk.bureau.units[district])})
    clock.advance(timedelta(hours=3))
    walk.do(staff, "district_dispatch", "dispatch", {"squad": str(walk.bureau.units[squad])})
    clock.advance(timedelta(minutes=20))
    walk.do(head, "squad_dispatch", "send_back", opinion="请明确地点。")
    walk.do(staff, "district_dispatch", "dispatch", {"squad": str(walk.bureau.units[squad])})
    walk.do(head, "squad_dispatch", "dispatch", {"officer": person(walk, officer)})
    clock.advance(timedelta(days=1))

    with walk.app.db.connect() as connection:
        hops = journey(connection, actor=walk.actor("a1_officer"), case_id=walk.case_id, at=clock.now())  # type: ignore[arg-type]
    named = [(hop.title, hop.unit, hop.person, hop.stay, hop.returned) for hop in hops]
    assert named[0][:3] == ("填写移交申请", "云浦区一中队", "顾明川")
    assert ("市局审核", "市局执法监督处", "司马青", timedelta(), False) in named
    assert ("中队派发", named[-1][1], {"CG-B": "陆知微", "CG-A-2": "白晓棠"}[to], timedelta(minutes=20), True) in named
    last = hops[-1]
    assert (last.title, last.state, last.left, last.stay, last.due_on is not None) == ("队员接收", "open", None, timedelta(days=1), True)
    assert [(hop.title, hop.came_from) for hop in hops if hop.sent_back] == [("区局派发", {"CG-B": "陆知微", "CG-A-2": "白晓棠"}[to])]
    assert ("市局派发" in {hop.title for hop in hops}) == (to == "CG-B")
    total = {unit: (stay, count) for unit, stay, count in stays(hops)}
    assert total[last.unit] == (timedelta(days=1, minutes=20), 3)


def test_the_page_shows_it_to_those_who_may_see_the_case_only(walk: Walker) -> None:
    reviewed(walk)
    page = Browser(walk.app, "a1_officer").get(f"/cases/{walk.case_id}/journey", headers={"HX-Request": "true"})
    assert [words for words in ("云浦区一中队", "市局执法监督处", "待认领", "共停留") if words not in page.text] == [], page.status
    withdraw_act(walk.app, actor=walk.actor("city_head"), act_id=walk.last.act_id, key="back", at=walk.at)
    assert "司马青撤回" in Browser(walk.app, "a1_officer").get(f"/cases/{walk.case_id}/journey").text
    assert Browser(walk.app, "b2_officer").get(f"/cases/{walk.case_id}/journey").status_code == 404
    with walk.app.db.connect() as connection, pytest.raises(NotFound):
        journey(connection, actor=walk.actor("b2_officer"), case_id=walk.case_id, at=walk.at)  # type: ignore[arg-type]
