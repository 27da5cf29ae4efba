"""A statistic's table and chart as an Excel file, marked with who took it out and when, and on record."""
from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from sqlalchemy import Table

from engine.access import audit
from engine.access.actors import Actor
from engine.kernel.clock import SHANGHAI
from engine.registers.excel import Sheet
from engine.reporting.statistics.asked import Question
from engine.reporting.statistics.declaration import Measure
from engine.runtime.application import Application
from engine.runtime.export_register import mark_of
from engine.runtime.queries.statistic_page import Looked, look
from engine.runtime.queries.statistics import Row

NAME_WIDTH, FIGURE_WIDTH = 24, 14


def export_statistic(app: Application, *, actor: Actor, question: Question, table: Table, at: datetime) -> tuple[str, bytes]:
    """(file name, workbook) of exactly what the page shows for ``question``."""
    with app.db.connect() as connection:
        looked = look(connection, question=question, table=table, actor=actor)
    title = question.statistic.title
    with tempfile.TemporaryDirectory(prefix="guicheng-statistic-") as folder:
        path = Path(folder) / "statistic.xlsx"
        sheet = Sheet(path, title=title, mark=mark_of(actor, at, "导出"))
        _fill(sheet, looked)
        for text in ("", f"期间：{question.period.title if question.period else '全部'}", f"范围：{looked.way[-1].name if looked.way else ''}", f"数据取于 {at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}", question.statistic.help):
            sheet.write(0, text)
            sheet.next()
        _draw(sheet, looked, question)
        sheet.close()
        content = path.read_bytes()
    with app.db.begin() as connection:
        audit.append(
            connection, chain=audit.chain_of(actor), at=at, actor_id=actor.person_id, actor_name=actor.name, action="statistic.export", object=question.statistic.name,
            detail={"rows": len(looked.answer.rows), "query": question.address},
        )
    return f"{title} {at.astimezone(SHANGHAI):%Y%m%d-%H%M}.xlsx", content


def _fill(sheet: Sheet, looked: Looked) -> None:
    measures = looked.answer.measures
    compared = looked.answer.ask.period is not None
    titles = ["分组", *(title for one in measures for title in _titles(one, compared))]
    sheet.heading(titles, [NAME_WIDTH, *[FIGURE_WIDTH] * (len(titles) - 1)])
    for row in [*looked.answer.rows, looked.answer.total]:
        _line(sheet, row, measures, compared)


def _draw(sheet: Sheet, looked: Looked, question: Question) -> None:
    """The chart that the page shows, of the same figures: measures of one unit together, of a pie the first."""
    rows, measures = looked.answer.rows, looked.answer.measures
    if not rows or looked.empty:
        return
    kind = question.chart if question.chart in ("line", "pie") else "bar"
    step = 3 if looked.answer.ask.period is not None else 1
    chosen = [at for at, one in enumerate(measures) if one.unit == measures[0].unit][:4] if kind != "pie" else [0]
    sheet.chart(kind, title=question.statistic.title, columns=[1 + at * step for at in chosen], first=1, last=len(rows))


def _titles(measure: Measure, compared: bool) -> list[str]:
    name = f"{measure.title}（{measure.unit}）" if measure.unit else measure.title
    return [name, f"{measure.title}同比 %", f"{measure.title}环比 %"] if compared else [name]


def _line(sheet: Sheet, row: Row, measures: Sequence[Measure], compared: bool) -> None:
    sheet.write(0, row.title)
    column = 1
    for measure in measures:
        cell = row.cells[measure.name]
        values: list[Decimal | None] = [cell.value, cell.year_growth, cell.growth] if compared else [cell.value]
        for value in values:
            sheet.write(column, value, "number")
            column += 1
    sheet.next()
