"""A periodic report as ``processes/<pack>/reports/<name>.yaml`` declares it; docs/statistics.md is the grammar."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.expressions import Expression, FeelError, compile_expression
from engine.kernel.errors import DeployRefused, Invalid
from engine.kernel.names import pack_of, qualify
from engine.packs.yaml import read_yaml
from engine.reporting.reports.text import check_body
from engine.reporting.statistics.declaration import Statistic
from engine.reporting.statistics.periods import GRAINS

KEYS = {"title", "period", "schedule", "statistics", "makes", "issues", "audience", "advice", "body"}


@dataclass(frozen=True, kw_only=True)
class Advice:
    """``say`` stands in the report when ``when`` (FEEL over the statistics' totals) is true."""

    when: Expression
    say: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """``statistics``: {name as the text writes it: qualified name}. ``makes``, ``issues``, ``audience``: roles."""

    name: str
    title: str
    period: str
    statistics: Mapping[str, str]
    makes: tuple[str, ...]
    issues: tuple[str, ...]
    audience: tuple[str, ...]
    advice: Sequence[Advice]
    body: str
    schedule: int | None = None
    """How many days after a period its issue is drafted by itself, one for each bureau; None: on demand only."""


def parse_report(content: bytes, *, name: str, statistic: Callable[[str], Statistic | None]) -> Report:
    """The report in ``content``; raises DeployRefused with a finding per fault."""
    raw = read_yaml(content, file=f"reports/{name}.yaml")
    raw = raw if isinstance(raw, Mapping) else {}
    pack, faults = pack_of(name), list[str]()
    if not raw.get("title") or not isinstance(raw.get("body"), str) or set(raw) - KEYS:
        faults.append(f"报告要写 title 和 body，可写 {'、'.join(sorted(KEYS))}。")
    if raw.get("period") not in GRAINS:
        faults.append(f"period 写 {'、'.join(GRAINS)} 之一：多久一期。")
    roles = {key: _roles(raw, key, pack, faults) for key in ("makes", "issues", "audience")}
    named = {str(one): qualify(str(one), pack) for one in raw.get("statistics") or []}
    faults += [f"没有统计 {full}。" for full in named.values() if statistic(full) is None] or ([] if named else ["statistics 写用到的统计。"])
    schedule = raw.get("schedule")
    if schedule is not None and (not isinstance(schedule, int) or not 1 <= schedule <= 60):
        faults.append("schedule 写 1 到 60：期间过后第几天自动起草。")
    advice = _advice(raw.get("advice") or [], faults)
    found = {short: one for short, full in named.items() if (one := statistic(full)) is not None}
    try:
        check_body(str(raw.get("body", "")), found)
    except Invalid as problem:
        faults.append(problem.message)
    if faults:
        raise DeployRefused(f"报告 {name} 有 {len(faults)} 处不合要求：{faults[0]}", findings=[{"element": name, "rule": "report", "message": one} for one in faults])
    return Report(name=name, title=str(raw["title"]), period=raw["period"], statistics=named, advice=advice, body=raw["body"], schedule=schedule, **roles)


def _roles(raw: Mapping[str, Any], key: str, pack: str, faults: list[str]) -> tuple[str, ...]:
    told = raw.get(key)
    if not isinstance(told, list) or not told:
        faults.append(f"{key} 写角色的列表。")
        return ()
    return tuple(qualify(str(role), pack) for role in told)


def _advice(told: Any, faults: list[str]) -> list[Advice]:
    found = []
    for one in told if isinstance(told, list) else []:
        try:
            found.append(Advice(when=compile_expression(str(one["when"])), say=str(one["say"])))
        except (FeelError, KeyError, TypeError) as problem:
            faults.append(f"advice 写成 {{when: 条件, say: 建议}}：{problem}")
    return found
