"""What a report's text names, counted once as its drafter may see it, and kept as it was."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from engine.access.actors import Actor
from engine.decisions import DecisionError, compile_dmn
from engine.expressions import FeelError
from engine.kernel.errors import Invalid
from engine.kernel.names import name_of
from engine.packs.library import Library
from engine.reporting.assessments.catalogue import get_assessment
from engine.reporting.reports.declaration import Report
from engine.reporting.reports.text import MOST_PARTS, WHATS
from engine.reporting.statistics.asked import Question, grain_within
from engine.reporting.statistics.catalogue import get_statistic
from engine.reporting.statistics.declaration import Measure
from engine.reporting.statistics.periods import Period
from engine.runtime.assessments.tell_round import ToldRound, tell_round
from engine.runtime.queries.statistic_page import Looked, look_tile


class Snapshot:
    """A text's source. ``figures`` and ``parts`` are plain data: every figure that was named, every table and chart."""

    def __init__(self, connection: Connection, *, library: Library, report: Report, period: Period, actor: Actor, at: datetime) -> None:
        self._at, self._rounds = at, dict[str, ToldRound]()
        self._connection, self._library, self._report, self._period, self._actor = connection, library, report, period, actor
        self._totals: dict[str, Looked] = {}
        self.figures: list[dict[str, str]] = []
        self.parts: dict[str, dict[str, Any]] = {}

    def figure(self, statistic: str, measure: str, what: str = "value") -> Any:
        """A total of the period, or its comparison; 0 where there is nothing, so that sentences can compare."""
        total = self._total(statistic)
        if measure not in total.answer.total.cells or what not in WHATS:
            raise Invalid(f"没有 {statistic} 的 {measure}（{what}），请改正文。", fields={"body": "请改正。"})
        cell = total.answer.total.cells[measure]
        value = getattr(cell, what)
        self.figures.append({"statistic": self._full(statistic), "measure": measure, "what": what, "value": "" if value is None else str(value), "behind": cell.behind if what == "value" else ""})
        return Decimal(0) if value is None else value

    def table(self, statistic: str, by: str, measures: Any = (), top: int | None = None) -> str:
        looked = self._look(statistic, by, tuple(measures), top)
        named = looked.answer.measures
        heads = [self._title(statistic, by), *(f"{one.title}（{one.unit}）" if one.unit else one.title for one in named)]
        rows = [[row.title, *(_said(row.cells[one.name].value) for one in named)] for row in [*looked.answer.rows, looked.answer.total]]
        return self._keep("表", {"kind": "table", "title": looked.answer.statistic.title, "heads": heads, "rows": rows})

    def chart(self, statistic: str, by: str, measure: str = "", kind: str = "bar", top: int | None = None) -> str:
        looked = self._look(statistic, by, (measure,) if measure else (), top)
        one: Measure = looked.answer.measures[0]
        values = [row.cells[one.name].value for row in looked.answer.rows]
        return self._keep("图", {
            "kind": kind, "title": f"{one.title}（{one.unit}）" if one.unit else one.title, "labels": [row.title for row in looked.answer.rows],
            "values": [None if value is None else str(value) for value in values], "said": [_said(value) for value in values], "unit": one.unit,
        })

    def advice(self) -> str:
        """The sentences whose condition holds for the totals, one line each."""
        if self._report.advised:
            return self._asked(self._report.advised)
        context, said = self._context(), []
        for one in self._report.advice:
            try:
                if one.when.evaluate(context) is True:
                    said.append(one.say)
            except FeelError as problem:
                raise Invalid(f"建议的条件算不出来：{problem}") from None
        return "\n".join(said)

    def decided(self, decision: str) -> str:
        """The sentences that a decision of the report gives for the totals, one line each."""
        if decision not in self._report.decisions:
            raise Invalid(f"这份报告没有用决策 {decision}，请改正文。", fields={"body": "请改正。"})
        return self._asked(self._report.decisions[decision])

    def _context(self) -> dict[str, dict[str, Any]]:
        """{statistic: {measure: total}}, as conditions and decisions read it."""
        return {short: {name: cell.value for name, cell in self._total(short).answer.total.cells.items()} for short in self._report.statistics}

    def _asked(self, decision: str) -> str:
        content = self._library.current("decision", decision).content
        try:
            found = compile_dmn(content).evaluate(name_of(decision), self._context(), strict=True, at=self._at)
        except (DecisionError, FeelError) as problem:
            raise Invalid(f"决策 {decision} 算不出来：{problem}") from None
        return "\n".join(sentences(found))

    def assessed(self, assessment: str, what: str) -> Any:
        return self._told(assessment).word(what)

    def scores(self, assessment: str) -> str:
        return self._keep("表", self._told(assessment).scores())

    def ranking(self, assessment: str) -> str:
        return self._keep("图", self._told(assessment).ranking())

    def losses(self, assessment: str) -> str:
        return self._keep("表", self._told(assessment).losses())

    def standards(self, assessment: str) -> str:
        return self._keep("表", self._told(assessment).standards())

    def _told(self, assessment: str) -> ToldRound:
        if assessment not in self._report.assessments:
            raise Invalid(f"这份报告没有用考核 {assessment}，请改正文。", fields={"body": "请改正。"})
        if assessment not in self._rounds:
            declared = get_assessment(self._library, self._report.assessments[assessment])
            self._rounds[assessment] = tell_round(self._connection, library=self._library, assessment=declared, period=self._period, actor=self._actor)
        return self._rounds[assessment]

    def _full(self, statistic: str) -> str:
        if statistic not in self._report.statistics:
            raise Invalid(f"这份报告没有用统计 {statistic}，请改正文。", fields={"body": "请改正。"})
        return self._report.statistics[statistic]

    def _title(self, statistic: str, by: str) -> str:
        fields = get_statistic(self._library, self._full(statistic))[0].register.fields
        return fields[by].title if by in fields else {"unit": "单位", "time": "时间"}.get(by, by)

    def _total(self, statistic: str) -> Looked:
        if statistic not in self._totals:
            self._totals[statistic] = self._ask(statistic, "time", (), None, grouped=False)
        return self._totals[statistic]

    def _look(self, statistic: str, by: str, measures: Sequence[str], top: int | None) -> Looked:
        return self._ask(statistic, by, measures, top, grouped=True)

    def _ask(self, name: str, by: str, measures: Sequence[str], top: int | None, *, grouped: bool) -> Looked:
        statistic, table = get_statistic(self._library, self._full(name))
        question = Question(statistic=statistic, period=self._period, by=by, grain=grain_within(self._period), measures=tuple(measures) or tuple(statistic.measures), top=top)
        return look_tile(self._connection, question=question, table=table, actor=self._actor, grouped=grouped)

    def _keep(self, word: str, part: Mapping[str, Any]) -> str:
        if len(self.parts) >= MOST_PARTS:
            raise Invalid(f"一份报告最多 {MOST_PARTS} 张表和图。", fields={"body": "请减少。"})
        name = f"{word} {sum(one.startswith(word) for one in self.parts) + 1}"
        self.parts[name] = dict(part)
        return f"[[{name}]]"


def sentences(found: Any) -> list[str]:
    """Texts in what a decision gives: a text, a list, or contexts with ``say``."""
    if isinstance(found, Mapping):
        return sentences(found.get("say"))
    if isinstance(found, (list, tuple)):
        return [text for one in found for text in sentences(one)]
    return [found] if isinstance(found, str) and found else []


def _said(value: Decimal | None) -> str:
    return "无" if value is None else f"{value:,}"
