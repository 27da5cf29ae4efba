"""Rows of an Excel file against a register's declaration: values for the columns, or what is wrong with which cell."""
from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from engine.kernel.clock import SHANGHAI
from engine.kernel.errors import Invalid
from engine.reference.dictionaries import Dictionary
from engine.reference.places import read_outline, read_place
from engine.registers.declaration import Field, Register
from engine.registers.excel import REQUIRED_MARK, ROW_NUMBER, TROUBLE

LONGEST_TEXT = 2000
YES, NO = frozenset({"是", "有", "1", "true", "y", "yes", "√"}), frozenset({"否", "无", "0", "false", "n", "no", "×"})
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?\Z|(\d{4})(\d{2})(\d{2})\Z")
_AT = re.compile(r"(.+?)[ T　]+(\d{1,2})[:：](\d{2})(?:[:：](\d{2}))?\Z")
_SPLIT = re.compile(r"[、，,;；\n]+")


class Wrong(Exception):
    """A cell that does not fit; the message says in Chinese how to put it right."""


@dataclass(frozen=True, kw_only=True)
class Names:
    """What names mean: {name: ids} of people and units, {certificate number: id} among the people, {field: {title: ids}} of records."""

    people: Mapping[str, Sequence[UUID]]
    units: Mapping[str, Sequence[UUID]]
    records: Mapping[str, Mapping[str, Sequence[UUID]]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Which column of the file is which field: (column, field, reader)."""

    columns: Sequence[tuple[int, Field, Callable[[Any], Any]]]
    titles: Sequence[str]

    def check(self, cells: Sequence[Any]) -> tuple[dict[str, Any], dict[int, str]]:
        """(values by field, {column: message})."""
        values: dict[str, Any] = {}
        wrong: dict[int, str] = {}
        for column, one, read in self.columns:
            cell = cells[column] if column < len(cells) else ""
            if isinstance(cell, str):
                cell = cell.strip()
            if cell is None or cell == "":
                if one.required:
                    wrong[column] = "必填，不能空着。"
                continue
            try:
                values[one.name] = read(cell)
            except Wrong as problem:
                wrong[column] = str(problem)
        return values, wrong


def plan_columns(
    register: Register, titles: Sequence[str], *, dictionaries: Mapping[str | None, Dictionary], names: Names, on: date, datum: str = "cgcs2000",
) -> Plan:
    """How the columns under ``titles`` are read, coordinates in ``datum``; raises Invalid that names every heading that is wrong, twice there or missing."""
    by_title = {one.title: one for one in register.fields.values() if one.carried}
    found: dict[str, int] = {}
    faults: list[str] = []
    for column, title in enumerate(titles):
        bare = title.removesuffix(REQUIRED_MARK).strip()
        if bare in (ROW_NUMBER, TROUBLE) and bare not in by_title:
            continue
        if bare not in by_title:
            faults.append(f"第 {column + 1} 列“{title or '空白'}”不是“{register.title}”的栏目")
        elif bare in found:
            faults.append(f"“{bare}”出现了两次")
        else:
            found[bare] = column
    faults += [f"缺少必填的“{title}”" for title, one in by_title.items() if one.required and title not in found]
    if not found or faults:
        raise Invalid(f"第一行的栏目对不上：{'；'.join(faults[:8]) or '没有一列认得出来'}。请下载模板，照模板的第一行填。", code="bad_headings")
    columns = [(column, by_title[title], _reader(by_title[title], dictionaries, names, on, datum)) for title, column in found.items()]
    return Plan(columns=columns, titles=list(titles))


def _reader(one: Field, dictionaries: Mapping[str | None, Dictionary], names: Names, on: date, datum: str) -> Callable[[Any], Any]:
    if one.type in ("choice", "choices") and one.dictionary:
        found = dictionaries.get(one.dictionary)
        codes = {word: entry.code for entry in (found.options(on=on) if found else []) for word in (entry.code, entry.title)}
        return (lambda cell: _code(cell, codes)) if one.type == "choice" else (lambda cell: _codes(cell, codes))
    if one.type in ("person", "unit"):
        known, what = (names.people, "这个人") if one.type == "person" else (names.units, "这个单位")
        return lambda cell: _named(cell, known, what)
    if one.type == "record":
        return lambda cell: _named(cell, names.records.get(one.name, {}), "这条记录")
    if one.type in ("point", "outline"):
        read = read_place if one.type == "point" else read_outline
        return lambda cell: _put(lambda text: read(text, datum=datum), cell)
    return {"tags": _words, "number": _number, "money": _money, "date": _day, "datetime": _at, "boolean": _flag, "choices": _words}.get(one.type, _text)


def _text(cell: Any) -> str:
    """Text as typed; a number without its ".0", a day as a day."""
    if isinstance(cell, float):
        text = f"{int(cell)}" if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    elif isinstance(cell, datetime):
        text = f"{cell:%Y-%m-%d}" if cell.time() == time() else f"{cell:%Y-%m-%d %H:%M}"
    elif isinstance(cell, bool):
        text = "是" if cell else "否"
    else:
        text = str(cell)
    text = text.replace("\x00", "").replace("\r\n", "\n").strip()
    if len(text) > LONGEST_TEXT:
        raise Wrong(f"有 {len(text)} 个字，最多 {LONGEST_TEXT} 个字。")
    return text


def _number(cell: Any) -> Decimal:
    if isinstance(cell, (bool, date, time)):
        raise Wrong("这里只写数字，如 12 或 12.5。")
    text = re.sub(r"[\s,，]", "", unicodedata.normalize("NFKC", repr(cell) if isinstance(cell, float) else str(cell)))
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise Wrong("这里只写数字，如 12 或 12.5。") from None
    if not number.is_finite() or abs(number) >= Decimal("1e15"):
        raise Wrong("数字太大，请核对。")
    return number


def _money(cell: Any) -> Decimal:
    number = _number(str(cell).removesuffix("元") if isinstance(cell, str) else cell)
    amount = round(number, 2)
    if number < 0:
        raise Wrong("金额不能是负数。")
    if isinstance(cell, str) and amount != number:
        raise Wrong("金额最多写到分，如 1234.50。")
    return amount


def _day(cell: Any) -> date:
    if isinstance(cell, datetime):
        return _sane(cell.date())
    if isinstance(cell, date):
        return _sane(cell)
    text = f"{int(cell)}" if isinstance(cell, float) and math.isfinite(cell) and cell.is_integer() else str(cell)
    found = _DAY.match(re.sub(r"\s", "", unicodedata.normalize("NFKC", text)))
    if not found:
        raise Wrong("日期写成 2026-11-20。")
    try:
        return _sane(date(*(int(part) for part in found.groups() if part)))
    except ValueError:
        raise Wrong("没有这一天，请核对年月日。") from None


def _sane(day: date) -> date:
    if not 1850 <= day.year <= 2199:
        raise Wrong(f"年份 {day.year} 不合常理，请核对。")
    return day


def _at(cell: Any) -> datetime:
    if isinstance(cell, datetime):
        _sane(cell.date())
        return cell.replace(tzinfo=SHANGHAI) if cell.tzinfo is None else cell
    if isinstance(cell, date):
        return datetime.combine(_sane(cell), time(), SHANGHAI)
    found = _AT.match(str(cell).strip())
    if not found:
        raise Wrong("时间写成 2026-11-20 09:30。")
    try:
        return datetime.combine(_day(found[1]), time(int(found[2]), int(found[3]), int(found[4] or 0)), SHANGHAI)
    except ValueError:
        raise Wrong("没有这个时间，请核对。") from None


def _flag(cell: Any) -> bool:
    if isinstance(cell, bool):
        return cell
    word = _text(cell).lower()
    if word in YES or word in NO:
        return word in YES
    raise Wrong("写“是”或“否”。")


def _code(cell: Any, codes: Mapping[str, str]) -> str:
    try:
        return codes[_text(cell)]
    except KeyError:
        raise Wrong(f"“{_text(cell)[:20]}”不在选项里，请照“选项”页填。") from None


def _codes(cell: Any, codes: Mapping[str, str]) -> list[str]:
    return list(dict.fromkeys(_code(word, codes) for word in _words(cell)))


def _words(cell: Any) -> list[str]:
    return [word.strip() for word in _SPLIT.split(_text(cell)) if word.strip()]


SAME = {"这个人": "有同名的，请写执法证号。", "这个单位": "有同名的单位，请写全称。", "这条记录": "有几条同名的记录，请在台账里逐条登记。"}


def _put(read: Callable[[Any], Any], cell: Any) -> Any:
    try:
        return read(str(cell))
    except Invalid as problem:
        raise Wrong(problem.message) from None


def _named(cell: Any, known: Mapping[str, Sequence[UUID]], what: str) -> UUID:
    found = known.get(_text(cell), ())
    if not found:
        raise Wrong(f"没有{what}，请核对。")
    if len(found) > 1:
        raise Wrong(SAME[what])
    return found[0]
