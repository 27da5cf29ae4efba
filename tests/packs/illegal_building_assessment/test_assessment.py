"""The yearly assessment of the districts: counted, scored, published, appealed, ranked, reported."""
from __future__ import annotations

import io
from decimal import Decimal

import docx
import pytest
from sqlalchemy import select

from engine.kernel.errors import Forbidden, Invalid, NotFound
from engine.storage.tables.registers import record_history
from engine.storage.tables.statistics import report_issue, report_reader
from tests.packs.illegal_building.points import make, records, state
from tests.packs.illegal_building_assessment.year import Assessor


@pytest.mark.requirement("CMD-029")
@pytest.mark.requirement("CMD-030")
@pytest.mark.requirement("CMD-031")
@pytest.mark.requirement("CMD-032")
@pytest.mark.requirement("CMD-033")
def test_what_the_year_holds_is_counted_by_the_sheet(walk: Assessor) -> None:
    walk.work()
    walk.opened()
    assert (state(walk), walk.waiting()) == ("考核中", {"score"})
    a, b = walk.scores("CG-A"), walk.scores("CG-B")
    assert [a[key] for key in ("registration", "demolition_registration", "annual_plan", "sampling", "oversight")] == [Decimal(value) for value in ("11.25", "0", "20", "7.5", "4.5")]
    assert b["registration"] == 15 and b["annual_plan"] == 25 and b["oversight"] == 15 and b["organisation"] is None
    (line,) = [one for one in walk.board().lines if one.unit_id == walk.bureau.units["CG-A"]]
    told = {one["name"]: one["value"] for one in line.scores["oversight"]["figures"]}
    assert told == {"issued": "2", "closed": "1", "late": "1", "bad": "1"} and "under=" in line.scores["oversight"]["figures"][0]["behind"]


@pytest.mark.requirement("CMD-028")
def test_manual_items_are_scored_and_changed_by_the_city_only_until_they_are_published(walk: Assessor) -> None:
    walk.work()
    walk.opened()
    for scores, words, said in (({"organisation": "11"}, "好", "0 到 10"), ({"organisation": "9"}, "", "依据"), ({"registration": "15"}, "好", "系统取数"), ({"accident": "x"}, "好", "0 到 10")):
        with pytest.raises(Invalid, match=said):
            walk.give("CG-A", scores, words=words)
    with pytest.raises(NotFound):
        walk.give("CG-A", login="a_works")
    with pytest.raises(Forbidden):
        walk.give("CG-A", login="city_chief")
    with pytest.raises(Invalid, match="没有打分"):
        walk.do("city_works", "score", "submit")
    assert walk.give("CG-A", {"organisation": "10"}) == 1 and walk.give("CG-A", {"organisation": "10"}) == 0 and walk.give("CG-A", {"organisation": "9"}) == 1
    assert walk.give("CG-B", {"organisation": "10", "accident": "2"}) == 2
    with walk.app.db.connect() as connection:
        rows = connection.execute(select(record_history.c.reason, record_history.c.changes).where(record_history.c.register == "assessment.score", record_history.c.reason == "改分")).all()
    assert [row.changes["score"] for row in rows] == [["10", "9"], ["0", "2"]]
    walk.do("city_works", "score", "submit")
    walk.do("city_chief", "review", "send_back")
    assert walk.give("CG-B", {"organisation": "7"}) == 1
    walk.do("city_works", "score", "submit")
    walk.do("city_chief", "review", "approve")
    with pytest.raises(Invalid, match="已经确定"):
        walk.give("CG-A", {"organisation": "10"})


@pytest.mark.requirement("CMD-034")
def test_figures_are_counted_again_while_it_is_scored_and_stand_still_afterwards(walk: Assessor) -> None:
    walk.work()
    make(walk, "illegal_building.report", title="屋顶搭建", source="grid", about="building", received_on="2026-05-06")
    walk.opened()
    assert walk.scores("CG-A")["matching"] == 0
    for n in (1, 2, 3):
        make(walk, "illegal_building.report", title=f"来件 {n}", source="hotline", about="building", received_on="2026-05-07", result="new")
    assert walk.scores("CG-A")["matching"] == 0
    walk.do("city_works", "score", "recount")
    assert walk.scores("CG-A")["matching"] == Decimal("3.75") and walk.waiting() == {"score"}
    walk.give("CG-A")
    walk.give("CG-B")
    walk.do("city_works", "score", "submit")
    walk.do("city_chief", "review", "approve")
    make(walk, "illegal_building.closing", title="晚到的", way="demolished", closed_on="2026-06-01", area=20)
    assert walk.scores("CG-A")["annual_plan"] == 20


def test_a_period_has_one_round_until_it_is_dropped(walk: Assessor) -> None:
    walk.opened()
    first = walk.case_id
    with pytest.raises(Invalid, match="已经有一轮"):
        walk.opened()
    for year, said in ((2027, "还没有开始"),):
        with pytest.raises(Invalid, match=said):
            walk.opened(year=year)
    with pytest.raises(Forbidden):
        walk.start("a_works", "illegal_building_assessment.demolition_assessment", {"year": 2026, "title": "区里的", "days": 5})
    walk.case_id = first
    walk.do("city_works", "score", "drop", opinion="数据还没有齐。")
    assert state(walk) == "已作废" and not records(walk, "assessment.score")
    walk.opened()
    assert walk.waiting() == {"score"}


def test_a_district_sees_its_own_appeals_and_what_is_granted_counts(walk: Assessor) -> None:
    walk.published()
    with pytest.raises(NotFound):
        walk.board("a1_officer")
    own = walk.board("a_works")
    assert [line.unit_id for line in own.lines] == [walk.bureau.units["CG-A"]] and not own.whole
    a, b = walk.inside("CG-A"), walk.inside("CG-B")
    assert (a.holders("confirm"), b.holders("confirm")) == ({"a_works"}, {"b_works"})
    with pytest.raises(Invalid):
        a.do("a_works", "confirm", "appeal")
    a.do("a_works", "confirm", "appeal", {"appeals": [{"item": "annual_plan", "score": 25, "reason": "另有一处已经拆除，证书登记晚了。"}]})
    assert a.holders("decide") == {"city_works"}
    a.do("city_works", "decide", "uphold", {"answer": "属实。", "changes": [{"item": "annual_plan", "score": 24, "reason": "核实一处。"}]})
    assert walk.scores("CG-A")["annual_plan"] == 20
    a.do("city_chief", "review", "send_back")
    a.do("city_works", "decide", "uphold", {"answer": "属实。", "changes": [{"item": "annual_plan", "score": 25, "reason": "核实一处。"}]})
    a.do("city_chief", "review", "approve")
    assert walk.scores("CG-A")["annual_plan"] == 25
    b.do("b_works", "confirm", "appeal", {"appeals": [{"item": "organisation", "reason": "例会没有缺席。"}]})
    b.do("city_works", "decide", "refuse", {"answer": "会议记录不支持。"})
    b.do("city_chief", "review", "approve")
    walk.run_jobs()
    walk.do("city_works", "close_round", "submit")
    results = {row["assessed"]: (row["place"], row["total"], row["grade"]) for row in records(walk, "assessment.result")}
    assert results == {walk.bureau.units["CG-B"]: (1, Decimal(100), "excellent"), walk.bureau.units["CG-A"]: (2, Decimal("63.25"), "fair")}


@pytest.mark.requirement("CMD-027")
def test_the_report_is_drafted_approved_issued_and_stays(walk: Assessor) -> None:
    walk.finished()
    assert (state(walk), walk.waiting()) == ("出报告", {"revise"})
    with walk.app.db.connect() as connection:
        issue = connection.execute(select(report_issue)).mappings().one()
    assert issue["state"] == "approving" and issue["case_id"] == walk.case_id
    for words in ("2 个区", "最高 100.00 分", "全市没有完成年度拆违计划，还差 1 处", "[[表 1]]", "登记信息不完整"):
        assert words in issue["body"], issue["body"]
    walk.do("city_works", "revise", "submit")
    walk.do("city_chief", "review", "approve")
    walk.do("city_boss", "sign", "send_back")
    walk.do("city_works", "revise", "submit")
    walk.do("city_chief", "review", "approve")
    walk.do("city_boss", "sign", "issue")
    assert state(walk) == "已办结"
    walk.files(issue["id"])
    with walk.app.db.connect() as connection:
        done = connection.execute(select(report_issue)).mappings().one()
        readers = set(connection.scalars(select(report_reader.c.person_id)))
    assert done["state"] == "issued" and {walk.actor(login).person_id for login in ("a_works", "b_works", "a_chief", "b_chief")} <= readers
    word = docx.Document(io.BytesIO(walk.app.blobs.path(done["word_sm3"]).read_bytes()))
    assert any(cell.text == "100" for table in word.tables for row in table.rows for cell in row.cells)
    assert walk.app.blobs.path(done["pdf_sm3"]).read_bytes().startswith(b"%PDF")
