"""What an address asks of a statistic: period, grouping, measures, filters, units, order. The address is the whole state of the page."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from engine.kernel.errors import Invalid
from engine.registers.conditions import Condition, Group, Leaf
from engine.registers.declaration import Field
from engine.reporting.statistics.count import TIME
from engine.reporting.statistics.declaration import UNIT, Statistic
from engine.reporting.statistics.periods import GRAINS, Period, period_of, read_period

CHARTS = {"bar": "柱图", "line": "折线", "pie": "饼图", "map": "地图"}
TOPS = (5, 10, 20, 50)
ALWAYS = "all"
"""The period code of no period at all."""
EMPTY = "-"
"""The code of records whose field is empty."""
MOST_VALUES = 200
_TWO_MONTHS, _TWO_YEARS = 62, 800


@dataclass(frozen=True, kw_only=True)
class Question:
    """``period`` None: everything there is. ``chosen``: {dimension: codes any of which a record has}."""

    statistic: Statistic
    period: Period | None
    by: str
    grain: str
    measures: tuple[str, ...]
    unit_id: UUID | None = None
    chosen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    top: int | None = None
    order: str = ""
    chart: str = "bar"

    @property
    def where(self) -> Condition | None:
        """The filters as one condition."""
        parts = [_among(self.statistic, name, codes) for name, codes in self.chosen.items()]
        return None if not parts else parts[0] if len(parts) == 1 else Group(how="all", parts=parts)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The question as an address writes it."""
        found = [("p", self.period.code if self.period else ALWAYS), ("by", self.by)]
        if self.by == TIME:
            found.append(("grain", self.grain))
        if set(self.measures) != set(self.statistic.measures):
            found += [("m", name) for name in self.measures]
        if self.unit_id:
            found.append(("unit", str(self.unit_id)))
        found += [(f"f.{name}", code) for name, codes in self.chosen.items() for code in codes]
        found += [("top", str(self.top))] if self.top else []
        found += [("order", self.order)] if self.order else []
        return [*found, *([("chart", self.chart)] if self.chart != "bar" else [])]

    @property
    def address(self) -> str:
        return urlencode(self.pairs)

    def but(self, **changes: Any) -> str:
        """The address of the same question with some of it changed."""
        return replace(self, **changes).address

    def into(self, dimension: str, code: str) -> str:
        """The address of this question narrowed to one group of a dimension, grouped by something else where that helps."""
        if dimension == UNIT and self.statistic.dimension(UNIT) is None:
            return self.but(unit_id=UUID(code))
        if dimension == TIME:
            period = read_period(code)
            return self.but(period=period, by=next((one for one in self.statistic.dimensions), TIME), grain=grain_within(period))
        left = [one for one in self.statistic.dimensions if one != dimension]
        return self.but(chosen={**self.chosen, dimension: (code or EMPTY,)}, by=left[0] if left else TIME)


def grain_within(period: Period | None) -> str:
    """The grain that a period is usually split by."""
    if period is None:
        return "year"
    if period.grain == "span":
        days = (period.last - period.first).days
        return "day" if days <= _TWO_MONTHS else "month" if days <= _TWO_YEARS else "year"
    return {"year": "month", "quarter": "month"}.get(period.grain, "day")


def read_question(statistic: Statistic, pairs: Iterable[tuple[str, str]], *, on: date) -> Question:
    """The question of an address on the day ``on``; nothing said is this year by the first dimension. Raises Invalid in Chinese."""
    told: dict[str, list[str]] = {}
    for name, value in pairs:
        if value.strip():
            told.setdefault(name, []).append(value.strip())
    period = _period(told, on)
    by = told.get("by", [next(iter(statistic.dimensions), TIME)])[-1]
    if by != TIME:
        statistic.dimension(by)
    measures = tuple(name for name in statistic.measures if name in told.get("m", statistic.measures))
    order, chart, grain = told.get("order", [""])[-1], told.get("chart", ["bar"])[-1], told.get("grain", [grain_within(period)])[-1]
    if set(told.get("m", [])) - set(statistic.measures) or (order and order not in statistic.measures):
        raise Invalid("没有这个指标，请从列出的里选。", code="bad_measure")
    if grain not in GRAINS or chart not in CHARTS:
        raise Invalid("这个地址里的图形或时间单位不认识，请从页面重新选。", code="bad_chart")
    return Question(
        statistic=statistic, period=period, by=by, grain=grain, measures=measures, unit_id=_id(told.get("unit", [""])[-1]), top=_top(told.get("top", [""])[-1]), order=order,
        chart=chart, chosen={name[2:]: _codes(statistic, name[2:], values) for name, values in told.items() if name.startswith("f.")},
    )


def _period(told: Mapping[str, list[str]], on: date) -> Period | None:
    first, last = (told.get(name, [""])[-1] for name in ("from", "to"))
    if first or last:
        return read_period(f"{first or last}..{last or first}")
    code = told.get("p", [""])[-1]
    if code == ALWAYS:
        return None
    return read_period(code) if code else period_of(on, "year")


def _id(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise Invalid("没有这个单位，请重新选。", code="unknown_unit") from None


def _top(text: str) -> int | None:
    if not text:
        return None
    if not text.isdigit() or not 1 <= int(text) <= 500:
        raise Invalid("前几名写 1 到 500 的数。", code="bad_top")
    return int(text)


def _codes(statistic: Statistic, name: str, values: list[str]) -> tuple[str, ...]:
    dimension = statistic.dimension(name)
    if dimension is None or len(values) > MOST_VALUES:
        raise Invalid("这个地址里的筛选条件不认识，请从页面重新选。", code="bad_filter")
    for value in values:
        if value != EMPTY and dimension.type in ("unit", "person", "record"):
            _id(value)
        if value != EMPTY and dimension.type == "boolean" and value not in ("true", "false"):
            raise Invalid("这个地址里的筛选条件不认识，请从页面重新选。", code="bad_filter")
    return tuple(dict.fromkeys(values))


def _among(statistic: Statistic, name: str, codes: tuple[str, ...]) -> Condition:
    dimension = statistic.dimension(name)
    assert isinstance(dimension, Field)
    held = tuple(code for code in codes if code != EMPTY)
    parts: list[Condition] = [Leaf(field=dimension, verb="is", values=held)] if held else []
    if EMPTY in codes:
        parts.append(Leaf(field=dimension, verb="empty", values=("yes",)))
    return parts[0] if len(parts) == 1 else Group(how="any", parts=parts)
