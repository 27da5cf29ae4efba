"""What begins by itself and what was sent out, in a browser: axe finds nothing, wide or narrow."""
from __future__ import annotations

import pytest

from engine.runtime.invariants import find_violations
from tests.engine.runtime.pack import declare
from tests.engine.runtime.test_fanout import answer, begin, checking, items, the_fanout
from tests.engine.runtime.test_start_events import put, timer
from tests.journeys.office import Office
from tests.journeys.test_accessible import judge

pytestmark = pytest.mark.browser


def test_progress_is_seen_and_the_rest_called_off(office: Office) -> None:
    town = office.town
    declare(town, "stocktaking", "round")
    put(town, timer("timeCycle", "R/2026-11-01T08:00:00/P1D"))
    case_id = begin(town, checking("for i in 1..60 return &quot;第&quot; + string(i) + &quot;号&quot;"))
    answer(town, items(town)[0])
    page = office.sit("head").page
    found = judge(office.sit("keeper").page, f"{office.url}/processes/borrow_umbrella/stocktaking")
    for path in (f"/cases/{case_id}", f"/fanouts/{the_fanout(town)['id']}"):
        found += judge(page, office.url + path)
    assert found == []
    page.goto(f"{office.url}/cases/{case_id}")
    page.get_by_text("1 / 60").wait_for()
    page.get_by_role("link", name="逐项看").click()
    page.get_by_label("理由", exact=True).fill("其余的不用清点了。")
    page.get_by_role("button", name="取消其余 59 项").click()
    page.get_by_role("dialog").get_by_role("button", name="继续").click()
    page.get_by_text("其余的不用清点了。").first.wait_for()
    office.work()
    page.reload()
    page.get_by_text("不再办 59").first.wait_for()
    assert find_violations(town.app) == []
