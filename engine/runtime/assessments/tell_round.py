"""A finished round as a report tells it: totals in words, tables of scores, losses and standards, the ranking as a chart."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from statistics import median
from typing import Any

from sqlalchemy import Connection

from engine.access.actors import Actor
from engine.kernel.errors import Invalid
from engine.packs.library import Library
from engine.reference.dictionaries import load_dictionary
from engine.registers.catalogue import get_register
from engine.registers.scope import visible
from engine.reporting.assessments.declaration import Assessment
from engine.reporting.assessments.sheet import CENT, KINDS, Item
from engine.reporting.statistics.periods import Period
from engine.runtime.assessments.rounds import CLOSED, Board, Line, board_of


@dataclass(frozen=True, kw_only=True)
class ToldRound:
    """``grades``: {code: title}. Lines stand by place."""

    board: Board
    grades: dict[str, str]

    def word(self, what: str) -> Any:
        """One of the words of ``engine.reporting.reports.text.ASSESSED``, or how many units have the grade ``what``. Raises Invalid."""
        totals, lines = [line.total for line in self.board.lines if line.total is not None], self.board.lines
        words: dict[str, Any] = {
            "title": self.board.row["title"], "units": len(lines), "mean": _cents(sum(totals, Decimal(0)) / len(totals)), "median": _cents(Decimal(median(totals))), "highest": max(totals), "lowest": min(totals),
            "best": "、".join(line.name for line in lines if line.total == max(totals)), "last": "、".join(line.name for line in lines if line.total == min(totals)),
        }
        if what not in words and what not in self.grades:
            raise Invalid(f"assessed 的第二项写 {'、'.join(words)}，或者等次的代号 {'、'.join(self.grades)}。", fields={"body": "请改正。"})
        return words[what] if what in words else sum(line.grade == what for line in lines)

    def scores(self) -> dict[str, Any]:
        """Every unit by place with every item, the total and the grade."""
        heads = ["名次", "单位", *(one.title for one in self.board.items), "总分", "等次"]
        rows = [[str(line.place), line.name, *(_signed(one, line) for one in self.board.items), _short(line.total), self.grades.get(line.grade, "")] for line in self.board.lines]
        return {"kind": "table", "title": f"{self.board.row['title']}得分和名次", "heads": heads, "rows": rows, "names": [1]}

    def ranking(self) -> dict[str, Any]:
        """The totals as bars."""
        values = [_short(line.total) for line in self.board.lines]
        return {"kind": "bar", "title": "总分（分）", "labels": [line.name for line in self.board.lines], "values": values, "said": values, "unit": "分"}

    def losses(self) -> dict[str, Any]:
        """Every score below full, every bonus and deduction, with what was written beside it."""
        rows = [[line.name, one.title, _short(one.points), _signed(one, line), _why(one, line)] for line in self.board.lines for one in self.board.items if _notable(one, line)]
        return {"kind": "table", "title": "失分、加分、扣分", "heads": ["单位", "项目", "分值", "得分", "说明"], "rows": rows, "names": [0, 1], "words": [4]}

    def standards(self) -> dict[str, Any]:
        """The score sheet of the round."""
        rows = [[one.title, _short(one.points), f"{KINDS[one.kind]}，{'系统取数' if one.automatic else '人工打分'}", one.standard] for one in self.board.items]
        return {"kind": "table", "title": "评分表", "heads": ["项目", "分值", "方式", "评分标准"], "rows": rows, "words": [2, 3]}


def tell_round(connection: Connection, *, library: Library, assessment: Assessment, period: Period, actor: Actor) -> ToldRound:
    """The finished round of ``period`` that ``actor`` may see; raises Invalid where there is none."""
    register, table = get_register(library, assessment.round)
    query = visible(register, table, actor, table).where(table.c.assessment == assessment.name, table.c.period == period.code, table.c.state == CLOSED)
    row = connection.execute(query.order_by(table.c.created_at.desc()).limit(1)).mappings().one_or_none()
    if row is None:
        raise Invalid(f"{period.title}的“{assessment.title}”还没有定下结果，定下以后才能写进报告。", code="no_round")
    return ToldRound(board=board_of(connection, library=library, row=row), grades=grades_of(connection, library, assessment))


def grades_of(connection: Connection, library: Library, assessment: Assessment) -> dict[str, str]:
    """{code: title} of the grades, in the dictionary's order."""
    dictionary = get_register(library, assessment.result)[0].fields["grade"].dictionary
    return {code: entry.title for code, entry in load_dictionary(connection, dictionary=str(dictionary)).entries.items()}


def _cents(value: Decimal) -> Decimal:
    return value.quantize(CENT, ROUND_HALF_UP)


def _signed(item: Item, line: Line) -> str:
    """The score as it enters the total: a deduction with its minus."""
    score: Decimal = line.scores[item.key]["score"]
    return f"-{_short(score)}" if item.kind == "deduction" and score else _short(score)


def _short(score: Decimal | None) -> str:
    """15, 9.5, 13.92."""
    return "" if score is None else f"{float(score):g}"


def _notable(item: Item, line: Line) -> bool:
    score = line.scores[item.key]["score"]
    return bool(score < item.points if item.kind == "normal" else score > 0)


def _why(item: Item, line: Line) -> str:
    row = line.scores[item.key]
    counted = "，".join(f"{one['title']} {one['value'] or '无'}{one['unit']}" for one in _figures(row["figures"]))
    return "；".join(filter(None, (counted, row["words"])))


def _figures(told: Any) -> Sequence[dict[str, str]]:
    return told or []
