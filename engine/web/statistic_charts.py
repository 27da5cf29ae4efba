"""The charts of statistics as data, and where their figures lead."""
from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask import url_for

from engine.kernel.names import name_of, pack_of
from engine.reporting.statistics.asked import Question
from engine.reporting.statistics.count import TIME
from engine.reporting.statistics.declaration import UNIT, Statistic
from engine.runtime.queries.statistic_page import Looked


def list_of(statistic: Statistic) -> str:
    """The address of the register's list, without what it is narrowed to."""
    return url_for("registers.listed", pack=pack_of(statistic.register.name), name=name_of(statistic.register.name))


def chart_of(looked: Looked, question: Question, base: str) -> dict[str, Any] | None:
    """The groups as the chart's data; the table beside it says the same."""
    rows = looked.answer.rows
    if not rows or looked.empty or question.chart == "map":
        return None
    measures, over_time = looked.answer.measures, question.by == TIME
    together = [one for one in measures if one.unit == measures[0].unit][:4] if question.chart != "pie" else measures[:1]
    return {
        "kind": question.chart, "labels": [_short(row.key) if over_time else row.title for row in rows], "upright": over_time, "unit": measures[0].unit, "links": [f"{base}?{question.into(*row.inside)}" if row.inside else "" for row in rows],
        "series": [{"name": one.title, "values": [_number(row.cells[one.name].value) for row in rows]} for one in together],
    }


def trend_of(looked: Looked, base: str, question: Question) -> dict[str, Any] | None:
    """The first measure over time, with the year before as a thin line."""
    if not looked.trend or looked.empty:
        return None
    measure = looked.answer.measures[0]
    titles = [row.title for row in looked.trend]
    series: list[dict[str, Any]] = [{"name": measure.title, "values": [_number(row.cells[measure.name].value) for row in looked.trend]}]
    if any(looked.past):
        series.append({"name": "上年同期", "values": [_number(value) for value in looked.past], "past": True})
    return {"kind": "trend", "labels": [_short(row.key) for row in looked.trend], "titles": titles, "unit": measure.unit, "series": series, "links": [f"{base}?{question.into(*row.inside)}" if row.inside else "" for row in looked.trend]}


def map_of(looked: Looked, question: Question, base: str) -> dict[str, Any] | None:
    if not looked.areas or looked.empty:
        return None
    measure = looked.answer.measures[0]
    return {
        "kind": "map", "unit": measure.unit, "name": measure.title,
        "areas": [{"code": one.code, "title": one.title, "value": _number(one.value), "link": f"{base}?{question.into(UNIT, one.inside)}" if one.inside else ""} for one in looked.areas],
    }


def _short(code: str) -> str:
    """An axis label: the month, day, week or quarter, with the year where it begins."""
    parts = code.split("..", 1)[0].split("-")
    return parts[0] if len(parts) == 1 else f"{parts[0][2:]}-{parts[1]}" if len(parts) == 2 else f"{parts[1]}-{parts[2]}"


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
