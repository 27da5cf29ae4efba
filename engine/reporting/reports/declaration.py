"""A periodic report as ``processes/<pack>/reports/<name>.yaml`` declares it; docs/statistics.md is the grammar."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.expressions import Expression, FeelError, compile_expression
from engine.kernel.errors import DeployRefused, Invalid
from engine.kernel.names import name_of, pack_of, qualify
from engine.packs.yaml import read_yaml
from engine.reporting.reports.text import check_body
from engine.reporting.statistics.declaration import Statistic
from engine.reporting.statistics.periods import GRAINS

KEYS = {"title", "period", "schedule", "statistics", "makes", "issues", "audience", "advice", "body", "approval", "assessments", "decisions", "reach"}


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
    approval: str = ""
    """The process that approves it, with a first form that takes ``title`` and ``issue``; empty: whoever holds ``issues`` signs it off by hand."""
    assessments: Mapping[str, str] = field(default_factory=dict)
    """{name as the text writes it: qualified name} of assessments that it tells of."""
    decisions: Mapping[str, str] = field(default_factory=dict)
    """{name as the text writes it: qualified name} of decisions that give sentences for the totals."""
    advised: str = ""
    """The decision that gives the advice, in place of ``advice``."""
    branch: bool = False
    """An issue of the city's bureau reaches its districts too."""
    schedule: int | None = None
    """How many days after a period its issue is drafted by itself, one for each bureau; None: on demand only."""


Known = Callable[[str, str], bool]
"""(kind, qualified name) → whether there is such content."""


def parse_report(content: bytes, *, name: str, statistic: Callable[[str], Statistic | None], known: Known = lambda kind, name: True) -> Report:
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
    if raw.get("reach", "bureau") not in ("bureau", "branch"):
        faults.append("reach 写 bureau（发给本局）或 branch（市局的一期也发给各区局）。")
    more = {key: _named(raw, key, pack, known, faults) for key in ("assessments", "decisions")}
    advised, approval = (_one(raw.get(key), pack, kind, known, faults) for key, kind in (("advice", "decision"), ("approval", "process")))
    advice = _advice([] if advised else raw.get("advice") or [], faults)
    found = {short: one for short, full in named.items() if (one := statistic(full)) is not None}
    try:
        check_body(str(raw.get("body", "")), found, assessments=more["assessments"], decisions=more["decisions"])
    except Invalid as problem:
        faults.append(problem.message)
    if faults:
        raise DeployRefused(f"报告 {name} 有 {len(faults)} 处不合要求：{faults[0]}", findings=[{"element": name, "rule": "report", "message": one} for one in faults])
    return Report(
        name=name, title=str(raw["title"]), period=raw["period"], statistics=named, advice=advice, body=raw["body"], schedule=schedule, approval=approval, advised=advised, branch=raw.get("reach") == "branch",
        assessments=more["assessments"], decisions=more["decisions"], makes=roles["makes"], issues=roles["issues"], audience=roles["audience"],
    )


def _named(raw: Mapping[str, Any], key: str, pack: str, known: Known, faults: list[str]) -> dict[str, str]:
    """{bare name: qualified} of a list of names."""
    told = raw.get(key) or []
    if not isinstance(told, list):
        faults.append(f"{key} 写成列表。")
        return {}
    found = {name_of(full): full for full in (qualify(str(one), pack) for one in told)}
    faults += [f"{key} 里的 {full} 没有。" for full in found.values() if not known(key[:-1], full)]
    return found


def _one(told: Any, pack: str, kind: str, known: Known, faults: list[str]) -> str:
    """A qualified name where one word is written, else empty."""
    if not isinstance(told, str):
        return ""
    full = qualify(told, pack)
    if not known(kind, full):
        faults.append(f"没有 {full}（{kind}）。")
    return full


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
