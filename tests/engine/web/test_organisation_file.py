"""The organisation by Excel: judged cell by cell, written at once, taken back while untouched, and out again in the same shape."""
from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
import python_calamine
import xlsxwriter
from sqlalchemy import func, select

from engine.access import integrity
from engine.kernel.errors import NotFound
from engine.registers.transfers import recent_transfers
from engine.runtime.organisation_file.shape import NAME, SHEETS
from engine.storage.tables.certificates import certificate
from engine.storage.tables.organisation import audit, person, post, unit
from engine.storage.tables.organising import organisation_act, organisation_change, unit_name
from tests.engine.web.test_admin_organisation import Office
from tests.town import Town

FILE = "/admin/organisation/file"
HEADS = {
    "单位": ("代码*", "名称*", "简称", "类型*", "上级代码", "条线", "机关代字", "区划代码"), "人员": ("人员编号*", "姓名*", "电话"),
    "任职": ("人员编号*", "姓名", "单位代码*", "岗位*", "岗位名称", "主岗", "从*", "到"), "证件": ("人员编号*", "姓名", "证件*", "证号*", "有效期起*", "有效期止"),
}
Rows = Mapping[str, Sequence[Sequence[Any]]]
GOOD: Rows = {
    "单位": [("haiwan_1", "海湾第一所", "", "所", "haiwan", "", "", ""), ("haiwan", "海湾分局", "海湾", "派出机构", "district", "", "沪市监海", ""), ("station_two", "滨江市场监督管理所", "滨江所", "所", "", "", "", "")],
    "人员": [("G001", "卫青禾", "13800001111"), ("G002", "霍东篱", "")],
    "任职": [("G001", "卫青禾", "haiwan", "局长（办案机关负责人）", "分局长", "是", "2026-01-01", ""), ("G001", "", "haiwan_1", "执法人员（承办人）", "", "", "2026-02-01", "2026-12-31"),
             ("G002", "", "haiwan_1", "officer", "", "", "2026-03-01", "")],
    "证件": [("G002", "霍东篱", "执法证", "0901777", "2026-03-01", "2030-12-31"), ("G002", "", "督察证", "督0777", "2026-03-01", "")],
}


def book(rows: Rows) -> bytes:
    stream = io.BytesIO()
    made = xlsxwriter.Workbook(stream)
    for title, lines in rows.items():
        page = made.add_worksheet(title)
        for number, row in enumerate([HEADS[title], *lines]):
            page.write_row(number, 0, row)
    made.close()
    return stream.getvalue()


def read(data: bytes) -> dict[str, list[list[Any]]]:
    opened = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
    return {name: opened.get_sheet_by_name(name).to_python() for name in opened.sheet_names}


class Desk(Office):
    def bring(self, data: bytes) -> str:
        answer = self.admin.post(FILE, {"file": (io.BytesIO(data), "组织.xlsx")})
        assert answer.status_code == 303, answer.text
        self.app.jobs.run_due(self.app)
        return str(answer.headers["Location"])

    def do(self, path: str, what: str, **more: str) -> str:
        """Press the button, let the worker work, read the page."""
        answer = self.admin.post(f"{path}/{what}", more)
        self.app.jobs.run_due(self.app)
        return answer.get_data(as_text=True) if answer.status_code >= 400 else self.admin.get(path).get_data(as_text=True)

    def counted(self) -> list[int]:
        with self.app.db.connect() as connection:
            return [connection.scalar(select(func.count()).select_from(table)) or 0 for table in (unit, person, post, certificate, unit_name)]


@pytest.fixture
def desk(town: Town) -> Desk:
    return Desk(town)


def test_a_whole_organisation_comes_in_and_goes_again(desk: Desk) -> None:
    before, trail = desk.counted(), select(func.count()).select_from(audit).where(audit.c.action.in_(["organisation.import_file", "organisation.undo_import"]))
    path = desk.bring(book(GOOD))
    shown = desk.admin.get(path).get_data(as_text=True)
    assert "检查了 10 行" in shown and "设立派出机构“海湾分局”，在“上海市云浦区市场监督管理局”下面" in shown and "名称“第二市场监督管理所”改为“滨江市场监督管理所”" in shown
    assert desk.counted() == before and "13800001111" not in shown
    assert "请写明原因" in desk.do(path, "confirm")
    assert "已写入 <b>10</b> 处" in desk.do(path, "confirm", reason="编办批复")
    assert desk.counted() == [before[0] + 2, before[1] + 2, before[2] + 3, before[3] + 2, before[4] + 4]
    made = desk.one(select(unit).where(unit.c.code == "haiwan_1"))
    assert (made.path, made.district_id) == ("city/district/haiwan/haiwan_1/", desk.town.units["district"])
    who = desk.one(select(person).where(person.c.code == "G002"))
    assert (who.certificate_number, who.pinyin) == ("0901777", desk.one(select(person.c.pinyin).where(person.c.id == who.id)).pinyin)
    assert desk.all(select(post.c.title).join(person, person.c.id == post.c.person_id).where(person.c.code == "G001", post.c.main)) == ["分局长"]
    assert "编办批复" in desk.admin.get(f"/admin/organisation/people/{who.id}").get_data(as_text=True)
    with desk.app.db.connect() as connection:
        assert integrity.check(connection, desk.app.keys) == []
        assert connection.scalar(trail) == 1
    again = desk.bring(book(GOOD))
    assert "和现在的组织一样" in desk.admin.get(again).get_data(as_text=True)
    assert "组织和导入前一样" in desk.do(path, "undo")
    assert desk.counted() == before and desk.one(select(unit.c.name).where(unit.c.code == "station_two")).name == "第二市场监督管理所"
    with desk.app.db.connect() as connection:
        assert integrity.check(connection, desk.app.keys) == [] and connection.scalar(trail) == 2


WRONG: Rows = {
    "单位": [("a/b", "甲所", "", "所", "district", "", "", ""), ("loop1", "乙", "", "所", "loop2", "", "", ""), ("loop2", "丙", "", "所", "loop1", "", "", ""), ("top", "丁总队", "", "总队", "", "", "", ""),
             ("station_two", "第二市场监督管理所", "", "中队", "city", "", "", ""), ("good", "好单位", "", "科室", "district", "", "", "")],
    "人员": [("G010", "无岗", ""), ("G011", "", ""), ("G012", "有岗", ""), ("G012", "重号", "")],
    "任职": [("G012", "别名", "good", "officer", "", "", "2026-01-01", ""), ("G012", "", "nowhere", "officer", "", "", "2026-01-01", ""), ("G012", "", "good", "元帅", "", "", "2026-01-01", ""),
             ("G012", "", "good", "officer", "", "是", "2026-02-01", "2026-01-01"), ("G012", "", "good", "clerk", "", "", "2026-02-30", ""), ("G012", "", "good", "clerk", "", "是", "2026-02-01", ""),
             ("G012", "", "good", "officer", "", "是", "2026-03-01", "")],
    "证件": [("G099", "", "执法证", "1", "2026-01-01", ""), ("G012", "", "执法证", "09000000", "2026-01-01", ""), ("G012", "", "执法证", "77", "2026-01-01", "2025-01-01")],
}
TOLD = (
    ("单位", 2, "代码不能含"), ("单位", 3, "绕成了圈"), ("单位", 4, "绕成了圈"), ("单位", 5, "要填条线"), ("单位", 6, "改类型请在单位页上办"), ("单位", 6, "移动单位请在单位页上办"), ("人员", 2, "至少要有一行"),
    ("人员", 3, "必填"), ("人员", 5, "第 4 行已经是这个编号"), ("任职", 2, "请核对"), ("任职", 3, "没有代码是“nowhere”"), ("任职", 4, "不在选项里"), ("任职", 5, "不能早于"), ("任职", 6, "没有这一天"),
    ("任职", 8, "一个人只能有一个"), ("证件", 2, "没有编号是“G099”"), ("证件", 3, "已登记在顾明川名下"), ("证件", 4, "不能早于"),
)


def test_every_wrong_cell_is_told_and_the_right_rows_can_go_in(desk: Desk) -> None:
    path = desk.bring(book(WRONG))
    with desk.app.db.connect() as connection:
        row = recent_transfers(connection, register=NAME, person_id=desk.town.people["keeper"])[0]
    told = [(one["sheet"], one["row"], one["text"]) for one in row["problems"]]
    for sheet, number, words in TOLD:
        assert any(one[:2] == (sheet, number) and words in one[2] for one in told), (sheet, number, words, told)
    assert len(told) == len(TOLD) and (row["total"], row["wrong"]) == (20, 17)
    wrong = read(desk.admin.get(f"{path}/wrong.xlsx").data)
    assert list(wrong) == ["单位", "人员", "任职", "证件"] and wrong["单位"][0][-2:] == ["原行号", "问题"] and "条线：最上层" in wrong["单位"][4][-1]
    desk.do(path, "confirm", reason="编办批复")
    assert desk.one(select(person.c.name).where(person.c.code == "G012")).name == "有岗" and desk.one(select(unit.c.name).where(unit.c.code == "good")).name == "好单位"
    assert desk.all(select(post.c.code).join(person, person.c.id == post.c.person_id).where(person.c.code == "G012")) == ["clerk"]


def test_what_was_touched_or_is_used_stays(desk: Desk) -> None:
    path = desk.bring(book(GOOD))
    desk.app.clock.advance(timedelta(minutes=1))
    assert desk.admin.post("/admin/organisation/units", {"parent": desk.town.units["district"], "kind": "street", "name": "海湾镇", "code": "haiwan", "key": "race-1-unit"}).status_code == 303
    assert "检查之后组织有变动" in desk.do(path, "confirm", reason="编办批复")
    other = {name: [[str(cell).replace("haiwan", "wanhai").replace("海湾", "湾海") for cell in row] for row in rows] for name, rows in GOOD.items()}
    path = desk.bring(book(other))
    desk.do(path, "confirm", reason="编办批复")
    id = desk.one(select(person.c.id).where(person.c.code == "G001")).id
    assert desk.admin.post(f"/admin/organisation/people/{id}/account/open", {"login": "wei.qinghe", "key": "open-g001"}).status_code == 200
    count = desk.counted()
    assert "已经在用" in desk.do(path, "undo") and desk.counted() == count
    assert desk.admin.post(f"/admin/organisation/people/{id}/rename", {"name": "卫青荷", "reason": "更正", "key": "rename-g001"}).status_code == 303
    assert "导入后又改过" in desk.do(path, "undo") and desk.counted() == count


def test_what_goes_out_comes_in_again_and_changes_nothing(desk: Desk) -> None:
    out = desk.admin.post(f"{FILE}/export")
    found = read(out.data)
    assert list(found) == [part.title for part in SHEETS] and len(found["单位"]) == 10 and len(found["人员"]) == 16
    assert "和现在的组织一样" in desk.admin.get(desk.bring(out.data)).get_data(as_text=True)
    below = read(desk.security.post(f"{FILE}/export", {"path": "city/district/station_one/"}).data)
    assert len(below["单位"]) == 2 and {row[1] for row in below["人员"][1:]} == {"顾明川", "程砚白", "周启衡"}
    assert desk.all(select(audit.c.action).where(audit.c.action == "organisation.export")) == ["organisation.export"] * 2
    empty = read(desk.admin.get(f"{FILE}/template.xlsx").data)
    assert list(empty) == ["单位", "人员", "任职", "证件", "填写说明", "选项"] and tuple(empty["任职"][0]) == HEADS["任职"]


def test_only_the_administrator_brings_and_only_the_own_imports_are_seen(desk: Desk) -> None:
    path = desk.bring(book({"单位": GOOD["单位"][1:2]}))
    for browser in (desk.security, desk.auditor):
        assert browser.get(FILE).status_code == 200 and browser.get(path).status_code == 404
        assert browser.post(FILE, {"file": (io.BytesIO(book(GOOD)), "x.xlsx")}).status_code == 403
        assert browser.post(f"{path}/confirm", {"reason": "看看"}).status_code == 403
    stranger = desk.browser("officer")
    assert {stranger.get(one).status_code for one in (FILE, path, f"{path}/wrong.xlsx", f"{FILE}/template.xlsx")} == {403} and stranger.post(f"{FILE}/export").status_code == 403
    assert "没有要写入的" not in desk.do(path, "cancel") and desk.counted()[0] == 9
    assert "旧的 .xls" in desk.admin.post(FILE, {"file": (io.BytesIO(b"nonsense"), "x.xlsx")}).text or "请传 .xlsx 文件" in desk.admin.get(desk.bring(b"nonsense")).get_data(as_text=True)
    with desk.app.db.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(organisation_act)) == 0 and connection.scalar(select(func.count()).select_from(organisation_change)) == 1


def test_nobody_loses_the_last_post_by_a_file(desk: Desk) -> None:
    with desk.app.db.connect() as connection:
        id = connection.scalar(select(person.c.id).where(person.c.name == "顾明川"))
    if id is None:
        raise NotFound("顾明川")
    path = desk.bring(book({"任职": [(str(id), "顾明川", "station_one", "officer", "", "", "2020-01-01", "2026-11-19")]}))
    assert "最后一个岗位" in desk.admin.get(path).get_data(as_text=True)
    path = desk.bring(book({"任职": [(str(id), "", "station_one", "officer", "", "", "2020-01-01", "2026-11-19"), (str(id), "", "station_two", "officer", "", "是", "2026-11-20", "")]}))
    desk.do(path, "confirm", reason="轮岗")
    with desk.app.db.connect() as connection:
        rows = connection.execute(select(unit.c.code, post.c.main, post.c.valid_until).join(unit, unit.c.id == post.c.unit_id).where(post.c.person_id == id).order_by(post.c.valid_from)).all()
    assert [(row[0], row[1], str(row[2])) for row in rows] == [("station_one", False, "2026-11-19"), ("station_two", True, "None")]
