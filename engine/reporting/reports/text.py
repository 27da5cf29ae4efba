"""The text of a report: plain lines, with figures, tables, charts and conditional sentences filled in.

``# `` and ``## `` begin headings, any other line is a paragraph, ``[[表 1]]`` or ``[[图 1]]`` alone on a line stands for that table or chart.
"""
from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from engine.kernel.errors import Invalid
from engine.reporting.statistics.count import TIME
from engine.reporting.statistics.declaration import Statistic

LONGEST, MOST_PARTS = 60_000, 40
FUNCTIONS = ("figure", "table", "chart", "advice", "decided", "assessed", "scores", "ranking", "losses", "standards")
ASSESSED = ("title", "units", "mean", "median", "highest", "lowest", "best", "last")
"""What ``assessed`` tells of a round; any other word is a grade: how many units have it."""
WHATS = ("value", "growth", "year_growth", "before", "year_before")


class Source(Protocol):
    """Where the names of a text get what they stand for."""

    def figure(self, statistic: str, measure: str, what: str = "value") -> Any: ...
    def table(self, statistic: str, by: str, measures: Any = (), top: int | None = None) -> str: ...
    def chart(self, statistic: str, by: str, measure: str = "", kind: str = "bar", top: int | None = None) -> str: ...
    def advice(self) -> str: ...
    def decided(self, decision: str) -> str: ...
    def assessed(self, assessment: str, what: str) -> Any: ...
    def scores(self, assessment: str) -> str: ...
    def ranking(self, assessment: str) -> str: ...
    def losses(self, assessment: str) -> str: ...
    def standards(self, assessment: str) -> str: ...


@dataclass(frozen=True, kw_only=True)
class Block:
    """``kind``: h1, h2, p or part; ``text`` is the words, or the part's name."""

    kind: str
    text: str


def fill(body: str, source: Source, *, period: str, unit: str, today: str) -> str:
    """The text with everything in place. Raises Invalid in Chinese for what the text gets wrong."""
    if len(body) > LONGEST:
        raise Invalid(f"正文超过 {LONGEST} 字，请缩短。", fields={"body": "太长了。"})
    sandbox = ImmutableSandboxedEnvironment(autoescape=False, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    names = {**{name: getattr(source, name) for name in FUNCTIONS}, "period": period, "unit": unit, "today": today}
    try:
        return sandbox.from_string(body).render(names)[:LONGEST]
    except Invalid:
        raise
    except (TemplateError, TypeError, ArithmeticError, ValueError) as problem:
        line = getattr(problem, "lineno", None)
        raise Invalid(f"正文{f'第 {line} 行' if line else ''}写得不对：{problem}", code="bad_body", fields={"body": "请改正。"}) from None


def blocks_of(text: str) -> list[Block]:
    """The text in its parts, in order."""
    found = []
    for line in (raw.strip() for raw in text.splitlines()):
        if line.startswith("## "):
            found.append(Block(kind="h2", text=line[3:].strip()))
        elif line.startswith("# "):
            found.append(Block(kind="h1", text=line[2:].strip()))
        elif line.startswith("[[") and line.endswith("]]"):
            found.append(Block(kind="part", text=line[2:-2].strip()))
        elif line:
            found.append(Block(kind="p", text=line))
    return found


def check_body(body: str, statistics: Mapping[str, Statistic], *, assessments: Collection[str] = (), decisions: Collection[str] = ()) -> None:
    """Raises Invalid for names of statistics, measures, dimensions, assessments and decisions that aren't there."""
    fill(body, _Trial(statistics, assessments, decisions), period="2026 年 1 月", unit="某局", today="2026 年 2 月 1 日")


class _Trial:
    """Every figure is 1: what a text names is looked up, nothing is counted."""

    def __init__(self, statistics: Mapping[str, Statistic], assessments: Collection[str], decisions: Collection[str]) -> None:
        self._statistics, self._assessments, self._decisions, self._parts = statistics, assessments, decisions, 0

    def figure(self, statistic: str, measure: str, what: str = "value") -> Any:
        self._measure(statistic, measure)
        if what not in WHATS:
            raise Invalid(f"figure 的第三项写 {'、'.join(WHATS)} 之一。")
        return 1

    def table(self, statistic: str, by: str, measures: Any = (), top: int | None = None) -> str:
        for measure in measures:
            self._measure(statistic, measure)
        return self._part(statistic, by)

    def chart(self, statistic: str, by: str, measure: str = "", kind: str = "bar", top: int | None = None) -> str:
        if measure:
            self._measure(statistic, measure)
        if kind not in ("bar", "line"):
            raise Invalid("chart 的 kind 写 bar 或 line。")
        return self._part(statistic, by)

    def advice(self) -> str:
        return ""

    def decided(self, decision: str) -> str:
        if decision not in self._decisions:
            raise Invalid(f"decisions 里没有 {decision}。")
        return ""

    def assessed(self, assessment: str, what: str) -> Any:
        self._assessment(assessment)
        return 1

    def scores(self, assessment: str) -> str:
        return self._assessment(assessment)

    ranking = losses = standards = scores

    def _assessment(self, name: str) -> str:
        if name not in self._assessments:
            raise Invalid(f"assessments 里没有 {name}。")
        return ""

    def _part(self, statistic: str, by: str) -> str:
        found = self._statistic(statistic)
        if by != TIME:
            found.dimension(by)
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise Invalid(f"一份报告最多 {MOST_PARTS} 张表和图。")
        return ""

    def _measure(self, statistic: str, measure: str) -> None:
        if measure not in self._statistic(statistic).measures:
            raise Invalid(f"统计 {statistic} 没有指标 {measure}。")

    def _statistic(self, name: str) -> Statistic:
        if name not in self._statistics:
            raise Invalid(f"statistics 里没有 {name}。")
        return self._statistics[name]
