"""Lists out to Excel; records in from Excel: checked, written, cancelled, taken back; files that mean harm."""
from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
import python_calamine
import xlsxwriter
from sqlalchemy import func, select

from engine.kernel.errors import AlreadyDone, Forbidden, GuichengError, Invalid, TooLarge
from engine.registers import workbook
from engine.registers.excel import write_template
from engine.registers.filters import read_asked
from engine.registers.transfers import transfer
from engine.runtime import export_register
from engine.runtime.export_register import export_list
from engine.runtime.import_register import cancel_transfer, confirm_import, start_import, undo_import
from engine.runtime.queries.record_words import dictionaries_of
from engine.storage.tables.organisation import audit, notice
from engine.storage.tables.registers import record_history
from tests.engine.registers.stock import NAME, Stock

HEAD = ("编号*", "颜色", "标签", "单价", "购入日期", "是否完好", "保管人", "所在单位", "防伪码")
GOOD = ("伞-101", "红", "新、大", 39.9, date(2026, 1, 5), "是", "周启衡", "第一市场监督管理所", "密")


def sheet(rows: Sequence[Sequence[Any]], head: Sequence[str] = HEAD, change: Any = None) -> bytes:
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"default_date_format": "yyyy-mm-dd"})
    page = book.add_worksheet()
    for number, row in enumerate([head, *rows]):
        page.write_row(number, 0, row)
    if change:
        change(book, page)
    book.close()
    return stream.getvalue()


def bring(stock: Stock, data: bytes, login: str = "head") -> UUID:
    id = start_import(stock.app, actor=stock.actor(login), register=NAME, name="伞.xlsx", data=data, at=stock.app.clock.now())
    stock.app.jobs.run_due(stock.app)
    return id


def row_of(stock: Stock, id: UUID) -> Any:
    with stock.app.db.connect() as connection:
        return transfer(connection, id=id)


def confirm(stock: Stock, id: UUID, *, run: bool = True) -> None:
    confirm_import(stock.app, actor=stock.actor(), register=NAME, import_id=id, at=stock.app.clock.now())
    if run:
        stock.app.jobs.run_due(stock.app)


def undo(stock: Stock, id: UUID) -> Any:
    stock.app.clock.advance(timedelta(minutes=1))
    undo_import(stock.app, actor=stock.actor(), register=NAME, import_id=id, at=stock.app.clock.now())
    stock.app.jobs.run_due(stock.app)
    return row_of(stock, id)


def read(data: bytes) -> list[list[Any]]:
    return python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python()


def test_a_list_goes_out_as_it_is_narrowed_with_secrets_masked_and_who_and_when(filled: Stock) -> None:
    asked = read_asked(filled.register, [("f.colour", "red"), ("sort", "-price"), ("col", "code"), ("col", "colour"), ("col", "price"), ("col", "bought_on"), ("col", "phone"), ("col", "secret")])
    made = export_list(filled.app, actor=filled.actor(), register=NAME, asked=asked, at=filled.app.clock.now())
    assert made.sm3
    data = filled.app.blobs.get(made.sm3)
    rows = read(data)
    assert rows[0] == ["编号", "颜色", "单价（元）", "购入日期", "联系电话", "防伪码", "单位", "更新时间"]
    assert [row[0] for row in rows[1:]] == ["伞-001", "布伞-004"]
    assert rows[1][1:6] == ["红", 39.9, date(2026, 1, 5), "139••••1234", "••••"]
    page = zipfile.ZipFile(io.BytesIO(data)).read("xl/worksheets/sheet1.xml").decode()
    assert "周启衡" in page and "2026-11-20 09:00 导出" in page and "13900001234" not in page
    with filled.app.db.connect() as connection:
        assert connection.scalar(select(audit.c.detail).where(audit.c.action == "register.export"))["rows"] == 2


def test_nothing_in_a_file_is_a_formula(stock: Stock) -> None:
    stock.add({"code": "=HYPERLINK(\"http://x\")"})
    made = export_list(stock.app, actor=stock.actor(), register=NAME, asked=read_asked(stock.register, []), at=stock.app.clock.now())
    page = zipfile.ZipFile(io.BytesIO(stock.app.blobs.get(str(made.sm3)))).read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in page and "HYPERLINK" in page


def test_a_long_list_is_made_by_the_worker_and_told(filled: Stock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_register, "EXACT_LIMIT", 2)
    asked = read_asked(filled.register, [("f.code", "伞")])
    made = export_list(filled.app, actor=filled.actor(), register=NAME, asked=asked, at=filled.app.clock.now())
    assert made.sm3 is None and made.transfer_id
    filled.app.jobs.run_due(filled.app)
    row = row_of(filled, made.transfer_id)
    assert (row["state"], row["done"]) == ("done", 5)
    assert len(read(filled.app.blobs.get(row["result_sm3"]))) == 6
    with filled.app.db.connect() as connection:
        assert "导出好了" in str(connection.scalar(select(notice.c.text).where(notice.c.link.contains(str(made.transfer_id)))))
    monkeypatch.setattr(export_register, "MOST", 3)
    with pytest.raises(TooLarge):
        export_list(filled.app, actor=filled.actor(), register=NAME, asked=asked, at=filled.app.clock.now())


def test_an_order_for_a_file_can_be_cancelled(filled: Stock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_register, "EXACT_LIMIT", 2)
    made = export_list(filled.app, actor=filled.actor(), register=NAME, asked=read_asked(filled.register, []), at=filled.app.clock.now())
    assert made.transfer_id
    cancel_transfer(filled.app, actor=filled.actor(), register=NAME, transfer_id=made.transfer_id, at=filled.app.clock.now())
    filled.app.jobs.run_due(filled.app)
    assert row_of(filled, made.transfer_id)["state"] == "cancelled"


def test_the_template_has_lists_and_help_and_can_be_brought_back_filled(stock: Stock, tmp_path: Any) -> None:
    with stock.app.db.connect() as connection:
        dictionaries = dictionaries_of(connection, list(stock.register.fields.values()))
    write_template(tmp_path / "t.xlsx", stock.register, dictionaries, on=stock.app.clock.today(), mark="测试")
    data = (tmp_path / "t.xlsx").read_bytes()
    assert read(data)[0][:3] == ["编号*", "颜色", "标签"]
    page = zipfile.ZipFile(io.BytesIO(data)).read("xl/worksheets/sheet1.xml").decode()
    assert 'type="list"' in page and "选项!" in page
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
    assert book.sheet_names == ["雨伞库存", "填写说明", "选项"]
    id = bring(stock, data)
    assert row_of(stock, id)["state"] == "failed" and "没有内容" in row_of(stock, id)["note"]


def test_all_right_rows_are_written_with_their_history(stock: Stock) -> None:
    id = bring(stock, sheet([GOOD, ("伞-102", "blue", "", "1,234.50", "2026年3月5日", "否"), ("", "", ""), (103, None, None, None, 20260401)]))
    row = row_of(stock, id)
    assert (row["state"], row["total"], row["wrong"], row["result_sm3"]) == ("checked", 3, 0, None)
    assert stock.codes() == []
    confirm(stock, id)
    assert row_of(stock, id)["state"] == "done"
    assert stock.codes(("sort", "code")) == ["103", "伞-101", "伞-102"]
    first = stock.page(("f.code", "伞-101"), ("col", "code"), ("col", "colour"), ("col", "tags"), ("col", "price"), ("col", "holder"), ("col", "place"), ("col", "working")).rows[0]
    assert list(first.cells.values()) == ["伞-101", "红", "新、大", "39.90", "是", "周启衡", "第一市场监督管理所"]
    with stock.app.db.connect() as connection:
        sealed = connection.scalar(select(stock.table.c.secret).where(stock.table.c.code == "伞-101"))
        assert stock.app.keys.decrypt(sealed, b"secret").decode() == "密"
        assert connection.scalar(select(func.count()).select_from(record_history).where(record_history.c.import_id == id)) == 3
        assert connection.scalar(select(audit.c.detail).where(audit.c.action == "register.import"))["rows"] == 3
    with pytest.raises(AlreadyDone):
        confirm(stock, id)


def test_wrong_cells_are_told_and_only_the_right_rows_written(stock: Stock) -> None:
    wrong = [("", "红"), ("伞-202", "绿"), ("伞-203", "红", "旧", "很贵", "2026-02-30", "也许", "无此人", "无此所"), ("伞-204", "", "", -1)]
    id = bring(stock, sheet([GOOD, *wrong]))
    row = row_of(stock, id)
    assert (row["total"], row["wrong"]) == (5, 4)
    told = {(one["row"], one["title"]) for one in row["problems"]}
    assert told == {(3, "编号"), (4, "颜色"), (5, "标签"), (5, "单价"), (5, "购入日期"), (5, "是否完好"), (5, "保管人"), (5, "所在单位"), (6, "单价")}
    marked = read(stock.app.blobs.get(row["result_sm3"]))
    assert marked[0][-2:] == ["原行号", "问题"]
    assert [line[-2] for line in marked[1:]] == [3, 4, 5, 6]
    assert "不在选项里" in marked[2][-1]
    confirm(stock, id)
    assert stock.codes() == ["伞-101"]
    again = bring(stock, stock.app.blobs.get(row["result_sm3"]))
    assert row_of(stock, again)["wrong"] == 4


@pytest.mark.parametrize(
    "head, words",
    [(("编号", "颜料"), "颜料"), (("颜色",), "缺少必填的“编号”"), (("编号", "颜色", "颜色"), "两次"), (("", "颜色"), "空白"), (("编号", "附加"), "附加")],
)
def test_wrong_headings_are_named(stock: Stock, head: tuple[str, ...], words: str) -> None:
    row = row_of(stock, bring(stock, sheet([("伞-1",)], head)))
    assert row["state"] == "failed" and words in row["note"]


def _bomb() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/workbook.xml", "<workbook/>")
        packed.writestr("xl/worksheets/sheet1.xml", b" " * (3 << 20))
    return stream.getvalue()


@pytest.mark.parametrize(
    "data, words",
    [
        (b"not a workbook", "xlsx"), (sheet([GOOD])[:500], "xlsx"),
        (sheet([], change=lambda book, page: page.write_formula(1, 0, "=1+1")), "公式（如 A2）"),
        (sheet([], change=lambda book, page: page.merge_range(1, 0, 2, 1, "合")), "合并的单元格（如 A2:B3）"),
        (sheet([], change=lambda book, page: page.write(1_048_575, 16_383, "远")), "很远"),
        (sheet([], change=lambda book, page: page.write(5, 200, "远")), "很远"),
        (sheet([], change=lambda book, page: page.write(100_001, 0, "多")), "最多导入 100000 行"),
    ],
)
def test_files_that_mean_harm_are_refused_in_words(data: bytes, words: str) -> None:
    with pytest.raises(GuichengError) as refused:
        workbook.read_rows(data)
    assert words in refused.value.message


def test_a_file_that_unpacks_too_large_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "LARGEST_UNPACKED", 2 << 20)
    with pytest.raises(TooLarge) as refused:
        workbook.read_rows(_bomb())
    assert refused.value.code == "zip_bomb"


def test_an_import_is_taken_back_while_untouched(stock: Stock) -> None:
    from tests.engine.registers.test_edit_record import change

    first, second = (bring(stock, sheet([(code,), (f"{code}乙",)], ("编号",))) for code in ("伞-1", "伞-2"))
    confirm(stock, first)
    stock.app.clock.advance(timedelta(seconds=5))
    confirm(stock, second)
    assert undo(stock, first)["state"] == "undone"
    assert set(stock.codes()) == {"伞-2", "伞-2乙"}
    change(stock, stock.page().rows[0].id, code="改过")
    row = undo(stock, second)
    assert row["state"] == "done" and "1 条导入后被改过" in row["note"]
    assert len(stock.codes()) == 2


def test_chosen_rows_alone_are_written(stock: Stock) -> None:
    id = bring(stock, sheet([[f"伞-{number}", "", "", "", "", "", ""] for number in range(1, 7)]))
    for wrong in ("1-3", "5-2", "二", "3-", "200001"):
        with pytest.raises(Invalid, match="行号"):
            confirm_import(stock.app, actor=stock.actor(), register=NAME, import_id=id, at=stock.app.clock.now(), rows=wrong)
    confirm_import(stock.app, actor=stock.actor(), register=NAME, import_id=id, at=stock.app.clock.now(), rows="2 - 3、6")
    stock.app.jobs.run_due(stock.app)
    assert row_of(stock, id)["done"] == 3
    with stock.app.db.connect() as connection:
        assert sorted(connection.scalars(select(stock.table.c.code))) == ["伞-1", "伞-2", "伞-5"]
    none = bring(stock, sheet([["伞-9", "", "", "", "", "", ""]]))
    confirm_import(stock.app, actor=stock.actor(), register=NAME, import_id=none, at=stock.app.clock.now(), rows="90-95")
    stock.app.jobs.run_due(stock.app)
    assert row_of(stock, none)["state"] == "failed" and "没有一行" in row_of(stock, none)["note"]


def test_cancelling_leaves_nothing(stock: Stock) -> None:
    checked = bring(stock, sheet([GOOD]))
    cancel_transfer(stock.app, actor=stock.actor(), register=NAME, transfer_id=checked, at=stock.app.clock.now())
    assert row_of(stock, checked)["state"] == "cancelled"
    writing = bring(stock, sheet([GOOD]))
    confirm(stock, writing, run=False)
    cancel_transfer(stock.app, actor=stock.actor(), register=NAME, transfer_id=writing, at=stock.app.clock.now())
    stock.app.jobs.run_due(stock.app)
    assert row_of(stock, writing)["state"] == "cancelled"
    assert stock.codes() == []
    with stock.app.db.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(record_history).where(record_history.c.register == NAME)) == 0


def test_only_editors_import_and_only_where_records_are_kept_directly(stock: Stock) -> None:
    with pytest.raises(Forbidden):
        bring(stock, sheet([GOOD]), login="officer")
    with pytest.raises(Forbidden):
        start_import(stock.app, actor=stock.actor(), register="borrow_umbrella.umbrella_loan", name="x", data=sheet([GOOD]), at=stock.app.clock.now())
    with pytest.raises(Invalid):
        bring(stock, b"")


def test_what_changed_between_check_and_writing_stops_the_import(stock: Stock) -> None:
    from engine.reference.dictionaries import end_entry

    id = bring(stock, sheet([GOOD]))
    with stock.app.db.begin() as connection:
        end_entry(connection, dictionary="borrow_umbrella.colour", code="red", last_day=stock.app.clock.today() - timedelta(days=1))
    confirm(stock, id)
    row = row_of(stock, id)
    assert row["state"] == "failed" and "重新上传" in row["note"]
    assert stock.codes() == []
