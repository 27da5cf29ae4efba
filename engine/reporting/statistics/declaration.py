"""A statistic as its YAML declares it; docs/statistics.md is the grammar."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from engine.kernel.errors import DeployRefused, Invalid
from engine.kernel.names import is_name, pack_of, qualify
from engine.packs.yaml import read_yaml
from engine.registers.conditions import CREATED, Condition, read_condition
from engine.registers.declaration import Field, Register

KEYS = {"title", "of", "on", "where", "by", "measures", "help"}
MEASURE_KEYS = {"title", "unit", "where", "on", "sum", "mean", "median", "share", "target"}
OVER = ("sum", "mean", "median")
DIMENSIONS = ("choice", "boolean", "unit", "person", "record")
UNIT = "unit"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What counts from ``since`` on (None: from the beginning)."""

    since: date | None
    where: Condition | None
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Target:
    """``good`` and ``fair`` are lower ends, with ``less`` upper ends."""

    good: Decimal
    fair: Decimal
    less: bool = False

    def light(self, value: Decimal | None) -> str:
        """ok, soon, late; none without a value."""
        if value is None:
            return "none"
        reached = (lambda end: value <= end) if self.less else (lambda end: value >= end)
        return "ok" if reached(self.good) else "soon" if reached(self.fair) else "late"


@dataclass(frozen=True, kw_only=True)
class Measure:
    """``over`` is count, sum, mean, median or share; ``of`` the field that is summed; ``on`` the date that it is about."""

    name: str
    title: str
    unit: str = ""
    over: str = "count"
    of: Field | None = None
    parts: tuple[str, str] | None = None
    on: Field = CREATED
    rules: tuple[Rule, ...] = ()
    target: Target | None = None
    targets: tuple[tuple[date, Target | None], ...] = ()
    """Targets that administrators set since, in order of their days; None ends the one before."""

    def target_on(self, day: date | None) -> Target | None:
        """The target for a period that ends on ``day``; for no period the newest."""
        held = [target for since, target in self.targets if day is None or since <= day]
        return held[-1] if held else self.target


@dataclass(frozen=True, kw_only=True)
class Statistic:
    name: str
    title: str
    register: Register
    where: Condition | None
    dimensions: tuple[str, ...]
    measures: Mapping[str, Measure] = field(default_factory=dict)
    help: str = ""

    def dimension(self, name: str) -> Field | None:
        """The field of a dimension, None for the unit that records belong to; raises Invalid for one that isn't offered."""
        if name not in self.dimensions:
            raise Invalid("没有这种分组，请从列出的里选。", code="bad_dimension")
        return None if name == UNIT and UNIT not in self.register.fields else self.register.fields[name]


def register_named(content: bytes, *, name: str) -> str:
    """The register that a statistic counts over, before it is parsed; raises DeployRefused."""
    raw = read_yaml(content, file=f"statistics/{name}.yaml")
    if not isinstance(raw, dict) or not isinstance(raw.get("of"), str):
        raise _refused([_finding("of", "统计要写 of：统计哪个台账。")])
    return qualify(raw["of"], pack_of(name))


def parse_statistic(content: bytes, *, name: str, register: Register) -> Statistic:
    """The statistic in ``content`` over ``register``; raises DeployRefused with one finding per fault."""
    raw = read_yaml(content, file=f"statistics/{name}.yaml")
    reader = _Reader(raw if isinstance(raw, dict) else {}, register)
    found = reader.read(name)
    if reader.findings:
        raise _refused(reader.findings)
    return found


class _Reader:
    def __init__(self, raw: Mapping[str, Any], register: Register) -> None:
        self.raw, self.register, self.findings = raw, register, list[dict[str, str]]()

    def read(self, name: str) -> Statistic:
        raw = self.raw
        if not raw.get("title") or not isinstance(raw.get("measures"), dict) or not raw["measures"]:
            self.fault("statistic", "统计要写 title、of 和 measures。")
        if set(raw) - KEYS:
            self.fault("statistic", f"不认识的写法：{'、'.join(sorted(set(raw) - KEYS))}。")
        measures = raw["measures"] if isinstance(raw.get("measures"), dict) else {}
        read = {key: self.measure(key, value, measures) for key, value in measures.items()}
        return Statistic(
            name=name, title=str(raw.get("title", "")), register=self.register, where=self.condition("where", raw.get("where")), dimensions=self.dimensions(),
            measures=read, help=str(raw.get("help", "")),
        )

    def fault(self, element: str, message: str) -> None:
        self.findings.append(_finding(element, message))

    def dimensions(self) -> tuple[str, ...]:
        named = self.raw.get("by") or []
        if not isinstance(named, list):
            self.fault("by", "by 写成列表。")
            return ()
        for one in named:
            known = self.register.fields.get(one)
            if one != UNIT and (known is None or known.secret or known.type not in DIMENSIONS):
                self.fault("by", f"不能按“{one}”分组：要写 unit，或台账里类型是 {'、'.join(DIMENSIONS)} 的栏目。")
        return tuple(named)

    def measure(self, name: str, raw: Any, all_measures: Mapping[str, Any]) -> Measure:
        if not is_name(name) or not isinstance(raw, dict) or not raw.get("title") or set(raw) - MEASURE_KEYS:
            self.fault(name, f"指标名用小写英文，要写 title；可写 {'、'.join(sorted(MEASURE_KEYS))}。")
            return Measure(name=name, title=name)
        kinds = [kind for kind in (*OVER, "share") if kind in raw]
        if len(kinds) > 1:
            self.fault(name, "sum、mean、median、share 只能写一种。")
        over = kinds[0] if kinds else "count"
        return Measure(
            name=name, title=str(raw["title"]), unit=str(raw.get("unit", "%" if over == "share" else "")), over=over, of=self.amount(name, raw.get(over)) if over in OVER else None,
            parts=self.parts(name, raw["share"], all_measures) if over == "share" else None, on=self.day(name, raw.get("on") or self.raw.get("on")),
            rules=self.rules(name, raw.get("where")), target=self.target(name, raw.get("target")),
        )

    def amount(self, measure: str, name: Any) -> Field | None:
        known = self.register.fields.get(name)
        if known is None or known.secret or known.type not in ("number", "money"):
            self.fault(measure, f"“{name}”不是台账里的数字或金额栏目。")
        return known

    def parts(self, measure: str, named: Any, all_measures: Mapping[str, Any]) -> tuple[str, str]:
        fits = isinstance(named, list) and len(named) == 2 and all(one in all_measures and "share" not in (all_measures[one] or {}) for one in named)
        if not fits:
            self.fault(measure, "share 写两个别的指标的名字：[部分, 总数]，它们自己不能是 share。")
            return ("", "")
        return (named[0], named[1])

    def day(self, measure: str, name: Any) -> Field:
        if name in (None, CREATED.name):
            return CREATED
        known = self.register.fields.get(name)
        if known is None or known.secret or known.type not in ("date", "datetime"):
            self.fault(measure, f"on 写的“{name}”不是台账里的日期栏目。")
            return CREATED
        return known

    def rules(self, measure: str, told: Any) -> tuple[Rule, ...]:
        if told is None:
            return ()
        if isinstance(told, dict):
            return (Rule(since=None, where=self.condition(measure, told)),)
        if not isinstance(told, list) or not all(isinstance(one, dict) and "where" in one and not set(one) - {"from", "where", "source"} for one in told):
            self.fault(measure, "按日期换口径时，where 写成列表：{from: 日期, where: 条件, source: 依据}，第一条可不写 from。")
            return ()
        found = [Rule(since=self.since(measure, one.get("from")), where=self.condition(measure, one["where"]), source=str(one.get("source", ""))) for one in told]
        return in_order(found)

    def since(self, measure: str, told: Any) -> date | None:
        try:
            return told if told is None or isinstance(told, date) else date.fromisoformat(str(told))
        except ValueError:
            self.fault(measure, f"from 写的“{told}”不是日期，写成 2026-01-01。")
            return None

    def condition(self, element: str, told: Any) -> Condition | None:
        if told is None:
            return None
        try:
            return read_condition(told, self.register)
        except Invalid as problem:
            self.fault(element, problem.message)
            return None

    def target(self, measure: str, told: Any) -> Target | None:
        if told is None:
            return None
        try:
            return Target(good=Decimal(str(told["good"])), fair=Decimal(str(told["fair"])), less=bool(told.get("less", False)))
        except (KeyError, TypeError, InvalidOperation, AttributeError):
            self.fault(measure, "target 写成 {good: 数, fair: 数}，越小越好时加 less: true。")
            return None


def in_order(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """Rules by their first day, what holds from the beginning first."""
    return tuple(sorted(rules, key=lambda rule: rule.since or date.min))


def _finding(element: str, message: str) -> dict[str, str]:
    return {"element": element, "rule": "statistic", "message": message}


def _refused(findings: list[dict[str, str]]) -> DeployRefused:
    return DeployRefused(f"统计有 {len(findings)} 处不合要求。", findings=findings)


