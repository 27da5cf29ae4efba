"""Start events and fan-outs as an officer and an operator see them."""
from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from engine.runtime.fire_due_starts import fire_due_starts
from tests.browser import Browser
from tests.engine.runtime.pack import declare
from tests.engine.runtime.test_fanout import answer, begin, checking, items, the_fanout
from tests.engine.runtime.test_start_events import put as put_start
from tests.engine.runtime.test_start_events import row as start_row
from tests.engine.runtime.test_start_events import timer
from tests.town import Town


def test_the_page_of_a_procedure_tells_its_next_run_and_an_operator_stops_it(town: Town) -> None:
    declare(town, "stocktaking")
    put_start(town, timer("timeCycle", "R/2026-11-01T08:00:00/P1D"))
    page = "/processes/borrow_umbrella/stocktaking"
    keeper, officer = Browser(town.app, "keeper"), Browser(town.app, "officer")
    assert "自动发起，下一次" in keeper.get("/processes").text
    assert all(word in keeper.get(page).text for word in ("已排上", "R/2026-11-01T08:00:00/P1D", "还没有"))
    assert "停用" not in officer.get(page).text
    assert officer.post(f"{page}/starts/tick", {"what": "stop", "reason": "x"}).status_code == 403
    assert keeper.post(f"{page}/starts/tick", {"what": "stop"}).status_code == 422
    assert keeper.post(f"{page}/starts/tick", {"what": "stop", "reason": "盘点暂停。"}).status_code == 303
    assert start_row(town)["status"] == "stopped" and "盘点暂停。" in keeper.get(page).text
    assert keeper.post(f"{page}/starts/tick", {"what": "resume", "reason": "接着盘点。"}).status_code == 303
    town.app.clock.advance(timedelta(days=1))
    assert fire_due_starts(town.app, town.app.clock.now()) == 1
    assert "清点雨伞" in Browser(town.app, "keeper").get(page).text


def test_the_case_page_shows_how_far_a_fanout_is_and_the_rest_is_called_off(town: Town) -> None:
    case_id = begin(town, checking("for i in 1..60 return &quot;第&quot; + string(i) + &quot;号&quot;"))
    answer(town, items(town)[0])
    head = Browser(town.app, "head")
    assert f"/cases/{case_id}/fanouts" in head.get(f"/cases/{case_id}").text
    piece = head.get(f"/cases/{case_id}/fanouts").text
    assert "1 / 60" in piece and "在办 59" in piece and "every 10s" in piece
    id = the_fanout(town)["id"]
    first = head.get(f"/fanouts/{id}").text
    assert "第50号" in first and "第51号" not in first and "after=49" in first
    assert "第60号" in head.get(f"/fanouts/{id}?after=49").text
    assert "第2号" not in head.get(f"/fanouts/{id}?status=done").text
    child = items(town)[1]["case_id"]
    assert "看上级案件" in head.get(f"/cases/{child}/fanouts").text and f"/cases/{child}/fanouts" in head.get(f"/cases/{child}").text
    assert head.post(f"/fanouts/{id}/items/1/skip", {"key": str(uuid4())}).status_code == 422
    assert head.post(f"/fanouts/{id}/items/1/skip", {"key": str(uuid4()), "reason": "没有这一处。"}).status_code == 303
    assert "没有这一处。" in head.get(f"/fanouts/{id}").text
    assert head.post(f"/fanouts/{id}/cancel", {"reason": " "}).status_code == 422
    assert head.post(f"/fanouts/{id}/cancel", {"reason": "不等了。"}).status_code == 303
    town.app.jobs.run_due(town.app)
    done = head.get(f"/fanouts/{id}").text
    assert "不再办 58" in done and "不等了。" in done and "取消其余" not in done
    assert Browser(town.app, "other_officer").get(f"/fanouts/{id}").status_code == 404
