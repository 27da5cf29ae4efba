"""Excel files of a register: a list as a workbook, an empty template to fill in, the wrong rows of an import."""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import xlsxwriter

from engine.kernel.clock import SHANGHAI
from engine.reference.dictionaries import Dictionary
from engine.registers.declaration import Field, Register

WIDTHS: Mapping[str, int] = {"text": 24, "number": 12, "money": 14, "date": 12, "datetime": 18, "boolean": 10, "choice": 16, "choices": 24, "person": 12, "unit": 24, "record": 24, "tags": 24, "serial": 20, "files": 24, "party": 24, "json": 24, "point": 24, "outline": 40}
ROW_NUMBER, TROUBLE = "原行号", "问题"
"""Columns that only the file of wrong rows has; an upload ignores them."""
REQUIRED_MARK = "*"
TEMPLATE_ROWS = 100_000
HINTS: Mapping[str, str] = {
    "number": "只写数字，如 12 或 12.5", "money": "单位元，只写数字，如 1234.50", "date": "如 2026-11-20", "datetime": "如 2026-11-20 09:30", "boolean": "写 是 或 否",
    "choice": "从下拉列表选一个", "choices": "可写多个，用顿号隔开", "person": "写姓名；同名时写执法证号", "unit": "写单位全称或简称", "record": "写它在那个台账里的名称", "tags": "可写多个，用顿号隔开",
    "point": "写“经度,纬度”，如 121.4737,31.2304；坐标系为 CGCS2000（WGS84）", "outline": "每行一个顶点“经度,纬度”，按顺序绕一圈；或 GeoJSON",
}


class Sheet:
    """A workbook with one sheet, or one after the other, that is written row after row and never held in memory."""

    def __init__(self, path: Path, *, title: str, mark: str) -> None:
        self.mark = mark
        self.book = xlsxwriter.Workbook(str(path), {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "default_date_format": "yyyy-mm-dd"})
        self.book.set_properties({"title": title, "comments": mark})
        self.head = self.book.add_format({"bold": True, "bg_color": "#E3ECF8", "bottom": 1, "valign": "vcenter"})
        self.formats = {
            "number": self.book.add_format({"num_format": "General"}), "money": self.book.add_format({"num_format": "#,##0.00"}),
            "date": self.book.add_format({"num_format": "yyyy-mm-dd"}), "datetime": self.book.add_format({"num_format": "yyyy-mm-dd hh:mm"}),
            "wrong": self.book.add_format({"bg_color": "#FDF0EF", "font_color": "#B3261E"}), "text": self.book.add_format({"num_format": "@"}),
        }
        self.another(title)

    def another(self, title: str) -> None:
        """A further sheet; what was written before is closed for writing."""
        self.sheet = self.book.add_worksheet(title_of_sheet(title))
        sealed = self.mark.replace("&", "&&")[:200]
        self.sheet.set_header(f"&L{title_of_sheet(title).replace('&', '&&')}&R{sealed}")
        self.sheet.set_footer(f"&L{sealed}&R第 &P 页，共 &N 页")
        self.sheet.set_landscape()
        self.sheet.set_paper(9)
        self.row = 0

    def heading(self, titles: Sequence[str], widths: Sequence[int]) -> None:
        for column, width in enumerate(widths):
            self.sheet.set_column(column, column, width)
        self.sheet.freeze_panes(1, 0)
        self.sheet.repeat_rows(0)
        for column, title in enumerate(titles):
            self.sheet.write_string(0, column, title, self.head)
        self.row = 1

    def write(self, column: int, value: Any, kind: str = "") -> None:
        """One cell: numbers and days as such, everything else as text, so that nothing in it is ever a formula."""
        form = self.formats.get(kind)
        if value is None or value == "":
            return
        if isinstance(value, bool):
            self.sheet.write_string(self.row, column, "是" if value else "否", form)
        elif isinstance(value, (int, float, Decimal)):
            self.sheet.write_number(self.row, column, value, form)
        elif isinstance(value, datetime):
            self.sheet.write_datetime(self.row, column, value.astimezone(SHANGHAI).replace(tzinfo=None) if value.tzinfo else value, form)
        elif isinstance(value, date) and value.year >= 1900:
            self.sheet.write_datetime(self.row, column, value, form)
        else:
            self.sheet.write_string(self.row, column, str(value)[:32_767], form)

    def next(self) -> None:
        self.row += 1

    def chart(self, kind: str, *, title: str, columns: Sequence[int], first: int, last: int) -> None:
        """A chart (bar, line, pie) of rows ``first`` to ``last``, below what is written: names in column 0, one series per column."""
        made = self.book.add_chart({"type": "column" if kind == "bar" else kind})
        for column in columns:
            made.add_series({"name": [self.sheet.name, 0, column], "categories": [self.sheet.name, first, 0, last, 0], "values": [self.sheet.name, first, column, last, column]})
        made.set_title({"name": title, "name_font": {"size": 12}})
        made.set_size({"width": 860, "height": 380})
        if kind != "pie":
            made.set_legend({"position": "top"} if len(columns) > 1 else {"none": True})
        self.sheet.insert_chart(self.row + 1, 0, made)

    def close(self) -> None:
        self.book.close()


def title_of_sheet(title: str) -> str:
    """``title`` as the name of a sheet may be."""
    return "".join("　" if sign in "[]:*?/\\'" else sign for sign in title)[:31] or "台账"


def cell_of(field: Field, value: Any, text: str) -> Any:
    """What a list's cell becomes in a file: numbers and days keep their nature, the rest is what the page shows."""
    if value is None or field.secret or field.type not in ("number", "money", "date", "datetime"):
        return text
    return value


def write_template(path: Path, register: Register, dictionaries: Mapping[str | None, Dictionary], *, on: date, mark: str) -> None:
    """The empty workbook: one column per field with help and lists to choose from, and a sheet that explains all columns."""
    write_templates(path, [register], dictionaries, on=on, mark=mark, title=register.title)


def write_templates(path: Path, parts: Sequence[Register], dictionaries: Mapping[str | None, Dictionary], *, on: date, mark: str, title: str, notes: Sequence[str] = ()) -> None:
    """As ``write_template``, with one sheet for each of ``parts``; ``notes`` stand below the explanations."""
    book = xlsxwriter.Workbook(str(path), {"strings_to_formulas": False})
    book.set_properties({"title": title, "comments": mark})
    sheets = [book.add_worksheet(title_of_sheet(part.title)) for part in parts]
    help_sheet, lists, used = book.add_worksheet("填写说明"), book.add_worksheet("选项"), 0
    head = book.add_format({"bold": True, "bg_color": "#E3ECF8", "bottom": 1, "valign": "vcenter"})
    must = book.add_format({"bold": True, "bg_color": "#E3ECF8", "bottom": 1, "font_color": "#B3261E", "valign": "vcenter"})
    form = {"text": book.add_format({"num_format": "@"}), "date": book.add_format({"num_format": "yyyy-mm-dd"}), "datetime": book.add_format({"num_format": "yyyy-mm-dd hh:mm"})}
    for sheet, part in zip(sheets, parts, strict=True):
        sheet.freeze_panes(1, 0)
        fields = _carried(part)
        for column, one in enumerate(fields):
            sheet.set_column(column, column, WIDTHS[one.type], form.get(one.type, form["text"] if one.type not in ("number", "money") else None))
            sheet.write_string(0, column, heading_of(one), must if one.required else head)
            _validate(sheet, lists, column, used + column, one, _options(one, dictionaries, on))
        used += len(fields)
    _explain(help_sheet, parts, dictionaries, on, head, notes)
    book.close()


def _carried(register: Register) -> list[Field]:
    return [one for one in register.fields.values() if one.carried]


def heading_of(one: Field) -> str:
    """A column's heading in the template: required ones carry a star."""
    return f"{one.title}{REQUIRED_MARK}" if one.required else one.title


def _options(one: Field, dictionaries: Mapping[str | None, Dictionary], on: date) -> list[str]:
    if one.type == "boolean":
        return ["是", "否"]
    found = dictionaries.get(one.dictionary)
    return [entry.title for entry in found.options(on=on)] if found else []


def _validate(sheet: Any, lists: Any, column: int, place: int, one: Field, options: Sequence[str]) -> None:
    """A list to choose from (column ``place`` of the sheet of lists), with the field's help beside the cell."""
    said = "；".join(filter(None, (one.help, HINTS.get(one.type, ""))))[:255]
    rule: dict[str, Any] = {"validate": "any", "input_title": one.title[:32], "input_message": said or one.title}
    if options:
        lists.write_string(0, place, one.title)
        for row, title in enumerate(options, start=1):
            lists.write_string(row, place, title)
        if one.type != "choices":
            name = xlsxwriter.utility.xl_col_to_name(place, col_abs=True)
            rule |= {"validate": "list", "source": f"=选项!{name}$2:{name}${len(options) + 1}", "error_title": "不在选项里", "error_message": "请从下拉列表里选。"}
    sheet.data_validation(1, column, TEMPLATE_ROWS, column, rule)


def _explain(sheet: Any, parts: Sequence[Register], dictionaries: Mapping[str | None, Dictionary], on: date, head: Any, notes: Sequence[str]) -> None:
    several = len(parts) > 1
    for column, (title, width) in enumerate((("栏目", 20), ("必填", 8), ("怎么填", 60), ("可选内容", 60))):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, title, head)
    row = 1
    for part in parts:
        if several:
            sheet.write_string(row, 0, f"表“{part.title}”", head)
            sheet.write_string(row, 2, part.help)
            row += 1
        for one in _carried(part):
            told = "；".join(filter(None, (one.help, HINTS.get(one.type, "文字，不超过 2000 字"))))
            for column, text in enumerate((one.title, "是" if one.required else "", told, "、".join(_options(one, dictionaries, on)))):
                sheet.write_string(row, column, text[:32_767])
            row += 1
    common = ("不要改第一行的栏目名，列的顺序可以换，不用的列可以删掉（必填的除外）。", "不要合并单元格，不要写公式；从别处粘贴时选“数值”。", f"一次最多 {TEMPLATE_ROWS} 行。")
    for place, text in enumerate((*notes, *common), start=row + 1):
        sheet.write_string(place, 0, text)


def write_wrong_rows(
    path: Path, register: Register, titles: Sequence[str], rows: Iterable[tuple[int, Sequence[Any], Mapping[int, str]]], *, mark: str,
) -> None:
    """The rows that can't be imported as they were brought, wrong cells in red, why at the end.

    ``rows``: (row number in the file, cells, {column: message}; column -1 is the row as a whole). The file can be put right and brought again.
    """
    sheet = Sheet(path, title=f"{register.title}（有错的行）", mark=mark)
    _wrong_rows(sheet, titles, rows)
    sheet.close()


def write_wrong_sheets(path: Path, parts: Sequence[tuple[str, Sequence[str], Iterable[tuple[int, Sequence[Any], Mapping[int, str]]]]], *, mark: str) -> None:
    """As ``write_wrong_rows``, one sheet for each of ``parts``: (name of the sheet, headings, rows)."""
    sheet: Sheet | None = None
    for title, titles, rows in parts:
        if sheet is None:
            sheet = Sheet(path, title=title, mark=mark)
        else:
            sheet.another(title)
        _wrong_rows(sheet, titles, rows)
    if sheet is not None:
        sheet.close()


def _wrong_rows(sheet: Sheet, titles: Sequence[str], rows: Iterable[tuple[int, Sequence[Any], Mapping[int, str]]]) -> None:
    sheet.heading([*titles, ROW_NUMBER, TROUBLE], [16] * len(titles) + [8, 60])
    for number, cells, wrong in rows:
        for column in range(len(titles)):
            value = cells[column] if column < len(cells) else ""
            kind = "datetime" if isinstance(value, datetime) else "date" if isinstance(value, date) else ""
            if column in wrong and (value is None or value == ""):
                sheet.sheet.write_blank(sheet.row, column, None, sheet.formats["wrong"])
            else:
                sheet.write(column, value, "wrong" if column in wrong and not kind else kind)
        sheet.write(len(titles), number)
        sheet.write(len(titles) + 1, "；".join(f"{titles[column]}：{text}" if column >= 0 else text for column, text in wrong.items()), "wrong")
        sheet.next()
