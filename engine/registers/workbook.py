"""An Excel file that somebody brings: judged before it is opened, then read row after row."""
from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import python_calamine

from engine.kernel.errors import Invalid, TooLarge

LARGEST_FILE = 40 * 1024 * 1024
LARGEST_UNPACKED = 500 * 1024 * 1024
MOST_ROWS = 100_000
CHUNK = 1 << 20
OVERLAP = 200
# Cells beyond column CZ or row 110,000: the reader would make room for everything in between.
_FAR = re.compile(rb"""\br\s*=\s*["'](?:[D-Z][A-Z]\d|[A-Z]{3,}\d|[A-Z]+(?:[2-9]\d{5}|1[1-9]\d{4}|\d{7,}))""")
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s>/]")
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell[\s>/]")
_CELL = re.compile(rb"""<(?:\w+:)?c\s[^>]*?\br\s*=\s*["']([A-Z]{1,3}\d{1,7})["']""")
_SPAN = re.compile(rb"""[^>]*?\bref\s*=\s*["']([A-Z0-9:]{1,20})["']""")


def read_rows(data: bytes) -> tuple[list[str], int, Iterator[list[Any]]]:
    """(headings, number of rows below them, the rows) of the first sheet; cells are text, float, bool, date, datetime, time or "".

    Raises Invalid or TooLarge for what is no .xlsx, unpacks too large, holds formulas or merged cells, or has more than 100,000 rows.
    """
    check_file(data)
    with _readable():
        return _rows_of(python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0))


def read_sheets(data: bytes, *, names: Sequence[str]) -> dict[str, tuple[list[str], int, Iterator[list[Any]]]]:
    """As ``read_rows``, for every sheet of ``names`` that the file has. Raises Invalid when it has none of them."""
    check_file(data)
    with _readable():
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        found = {name: _rows_of(book.get_sheet_by_name(name)) for name in names if name in book.sheet_names}
    if not found:
        raise Invalid(f"文件里没有名为{'、'.join(f'“{name}”' for name in names)}的表。请下载模板照着填，不要改表的名称。", code="bad_workbook")
    return found


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except (python_calamine.CalamineError, IndexError, ValueError, OSError) as problem:
        raise Invalid("这个文件读不出来，可能已经损坏。请用 Excel 打开另存为 .xlsx 再传。", code="bad_workbook") from problem


def _rows_of(sheet: python_calamine.CalamineSheet) -> tuple[list[str], int, Iterator[list[Any]]]:
    rows = iter(sheet.iter_rows())
    headings = [str(cell).strip() for cell in next(rows, [])]
    count = max(0, sheet.height - 1)
    if count > MOST_ROWS:
        raise too_many_rows(count)
    while headings and not headings[-1]:
        headings.pop()
    return headings, count, ([*row] for row in rows)


def too_many_rows(count: int) -> TooLarge:
    return TooLarge(f"表里有 {count} 行，一次最多导入 {MOST_ROWS} 行。请拆成几个文件，没有导入任何内容。", code="too_many_rows")


def check_file(data: bytes) -> None:
    """Look through the packed file in pieces; raises Invalid or TooLarge before anything is unpacked whole."""
    if len(data) > LARGEST_FILE:
        raise TooLarge(f"文件超过 {LARGEST_FILE >> 20} MB，请拆成几个文件。")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            entries = packed.infolist()
            if "xl/workbook.xml" not in {entry.filename for entry in entries}:
                raise Invalid("请传 .xlsx 文件；旧的 .xls 请用 Excel 另存为 .xlsx。", code="bad_workbook")
            if len(entries) > 1000 or sum(entry.file_size for entry in entries) > LARGEST_UNPACKED:
                raise _unpacks_too_large()
            _look_through(packed, entries)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, OSError, zipfile.zlib.error) as problem:  # type: ignore[attr-defined]
        raise Invalid("请传 .xlsx 文件；这个文件不是，或者已经损坏、加了密码。", code="bad_workbook") from problem


def _unpacks_too_large() -> TooLarge:
    return TooLarge("这个文件解开后大得不正常，没有打开。请把数据复制到空白模板里再传。", code="zip_bomb")


def _look_through(packed: zipfile.ZipFile, entries: list[zipfile.ZipInfo]) -> None:
    seen = 0
    for entry in entries:
        sheet, before = entry.filename.startswith("xl/worksheets/") and entry.filename.endswith(".xml"), b""
        with packed.open(entry) as stream:
            while piece := stream.read(CHUNK):
                seen += len(piece)
                if seen > LARGEST_UNPACKED:
                    raise _unpacks_too_large()
                if sheet:
                    _judge(before + piece)
                    before = piece[-OVERLAP:]


def _judge(piece: bytes) -> None:
    if _FAR.search(piece):
        raise TooLarge(f"表里有内容写在很远的行或列上。一次最多 {MOST_ROWS} 行、104 列；请把数据复制到空白模板里再传。", code="too_many_rows")
    if found := _FORMULA.search(piece):
        raise Invalid(f"表里有公式{_told(_CELL.findall(piece[:found.start()])[-1:])}。请全选、复制、选择性粘贴为“数值”后再传，没有导入任何内容。", code="formulas")
    if found := _MERGED.search(piece):
        span = _SPAN.match(piece, found.end() - 1)
        raise Invalid(f"表里有合并的单元格{_told([span[1]] if span else [])}。请取消合并、把每一格填上后再传，没有导入任何内容。", code="merged_cells")


def _told(cells: list[bytes]) -> str:
    """Where, as Excel calls it; nothing when the file doesn't say."""
    return f"（如 {cells[0].decode()}）" if cells else ""
