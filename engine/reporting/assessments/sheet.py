"""The items of a score sheet: what they take, how they reckon, what may be given. Plain data in, as YAML or an edited version holds it."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from engine.expressions import FeelError, compile_expression, referenced_names
from engine.kernel.errors import Invalid
from engine.kernel.names import is_name, qualify
from engine.reporting.assessments.several import Several, read_several
from engine.reporting.statistics.declaration import UNIT, Statistic

KINDS = {"normal": "计分", "bonus": "加分", "deduction": "扣分"}
ITEM_KEYS = {"title", "points", "weight", "kind", "figures", "formula", "standard", "several"}
POINTS = "points"
MOST_ITEMS, HIGHEST = 60, Decimal(1000)
CENT = Decimal("0.01")

Find = Callable[[str], Statistic | None]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A measure of a statistic, counted at and below the assessed unit over the period of the round."""

    statistic: str
    measure: str


@dataclass(frozen=True, kw_only=True)
class Item:
    """One line of the sheet. ``points`` is the most it can score; times ``weight`` it enters the total, a bonus is added, a deduction taken off.

    With ``formula`` (FEEL over the names of ``figures`` and ``points``) it scores itself, between 0 and ``points``; without, people do.
    """

    key: str
    title: str
    points: Decimal
    weight: Decimal = Decimal(1)
    kind: str = "normal"
    figures: Mapping[str, Figure] = field(default_factory=dict)
    formula: str = ""
    standard: str = ""
    several: Several | None = None
    """Several people score it; None: one does."""

    @property
    def automatic(self) -> bool:
        return bool(self.formula)

    @property
    def most(self) -> Decimal:
        """What it can bring into the total."""
        return self.points * self.weight

    def reckon(self, figures: Mapping[str, Decimal | None]) -> Decimal:
        """The score by the formula, kept between 0 and ``points``; a figure that isn't there counts as 0. Raises Invalid."""
        names = {name: value if value is not None else Decimal(0) for name, value in figures.items()}
        try:
            value = compile_expression(self.formula).evaluate({**names, POINTS: self.points})
        except FeelError as problem:
            raise Invalid(f"“{self.title}”的公式算不出来：{problem}", code="bad_formula") from None
        if not isinstance(value, (int, Decimal)) or isinstance(value, bool):
            raise Invalid(f"“{self.title}”的公式没有得出数，请检查分母为零的情形。", code="bad_formula")
        return min(max(Decimal(value), Decimal(0)), self.points).quantize(CENT, ROUND_HALF_UP)

    def enters(self, score: Decimal) -> Decimal:
        """What ``score`` brings into the total."""
        weighted = (score * self.weight).quantize(CENT, ROUND_HALF_UP)
        return -weighted if self.kind == "deduction" else weighted

    def plain(self) -> dict[str, Any]:
        """As ``read_items`` reads it back, with its key."""
        told: dict[str, Any] = {"key": self.key, "title": self.title, "points": str(self.points), "weight": str(self.weight), "kind": self.kind, "standard": self.standard}
        if self.automatic:
            told |= {"formula": self.formula, "figures": {name: f"{one.statistic}/{one.measure}" for name, one in self.figures.items()}}
        return {**told, "several": self.several.plain()} if self.several else told


def total_of(items: Sequence[Item], scores: Mapping[str, Decimal | None]) -> Decimal | None:
    """The total of one unit, never below 0; None while an item has no score."""
    if any(scores.get(one.key) is None for one in items):
        return None
    return max(sum((one.enters(score) for one in items if (score := scores[one.key]) is not None), Decimal(0)), Decimal(0))


def rank(totals: Mapping[Any, Decimal | None]) -> dict[Any, int]:
    """Places by total, the highest first; equal totals share a place and the next place is left out (1, 2, 2, 4)."""
    held = [value for value in totals.values() if value is not None]
    return {key: 1 + sum(other > value for other in held) for key, value in totals.items() if value is not None}


def read_items(told: Sequence[Mapping[str, Any]], *, pack: str, find: Find, full: Decimal) -> tuple[Item, ...]:
    """The items in plain data, in their order; raises Invalid with one message per fault, under ``items.<n>``."""
    faults: dict[str, str] = {}
    found: list[Item] = []
    for place, one in enumerate(told):
        try:
            found.append(_item(one, pack, find))
        except Invalid as problem:
            faults[f"items.{place}"] = problem.message
    if not 1 <= len(told) <= MOST_ITEMS:
        faults["items"] = f"考核项目 1 到 {MOST_ITEMS} 项。"
    keys = [one.key for one in found]
    if len(set(keys)) != len(keys):
        faults["items"] = "考核项目的代号不能重复。"
    whole = sum((one.most for one in found if one.kind == "normal"), Decimal(0))
    if not faults and whole != full:
        faults["items"] = f"计分项目合计 {whole:f} 分，应是 {full:f} 分。"
    if faults:
        raise Invalid(f"评分表有 {len(faults)} 处不合要求：{next(iter(faults.values()))}", code="bad_sheet", fields=faults)
    return tuple(found)


def _item(told: Any, pack: str, find: Find) -> Item:
    if not isinstance(told, Mapping) or not is_name(str(told.get("key", ""))) or set(told) - ITEM_KEYS - {"key"}:
        raise Invalid(f"考核项目的代号用小写英文，可写 {'、'.join(sorted(ITEM_KEYS))}。")
    title = str(told.get("title", "")).strip()
    if not title or len(title) > 60:
        raise Invalid("考核项目要写名称，60 字以内。")
    if told.get("kind", "normal") not in KINDS:
        raise Invalid(f"“{title}”的 kind 写 {'、'.join(KINDS)} 之一。")
    formula = str(told.get("formula") or "").strip()
    figures = {str(name): _figure(title, str(where), pack, find) for name, where in (told.get("figures") or {}).items()}
    item = Item(
        key=str(told["key"]), title=title, points=_amount(title, told.get("points"), "分值"), weight=_amount(title, told.get("weight", 1), "权重"), kind=str(told.get("kind", "normal")),
        figures=figures, formula=formula, standard=str(told.get("standard", "")).strip()[:500], several=read_several(told.get("several"), title=title, pack=pack),
    )
    if item.several and formula:
        raise Invalid(f"“{title}”由系统取数，不能再由几个人打分。")
    if formula:
        _try(item)
    return item


def _amount(title: str, told: Any, what: str) -> Decimal:
    try:
        value = Decimal(str(told))
    except InvalidOperation:
        value = Decimal(0)
    if not value.is_finite() or not 0 < value <= HIGHEST or value != value.quantize(CENT):
        raise Invalid(f"“{title}”的{what}写 0 到 {HIGHEST} 之间的数，最多两位小数。")
    return value


def _figure(title: str, where: str, pack: str, find: Find) -> Figure:
    name, _, measure = where.partition("/")
    try:
        full = qualify(name, pack)
    except ValueError:
        raise Invalid(f"“{title}”的取数写成 统计/指标，例如 checks/rate。") from None
    statistic = find(full)
    if statistic is None or measure not in statistic.measures:
        raise Invalid(f"“{title}”取的数 {where} 没有：统计或者指标的名字不对。")
    if UNIT not in statistic.dimensions or UNIT in statistic.register.fields:
        raise Invalid(f"“{title}”取数的统计“{statistic.title}”要能按所属单位分（by 里有 unit）。")
    return Figure(statistic=full, measure=measure)


def _try(item: Item) -> None:
    """The formula names what is there and gives a number, also where every figure is 0."""
    try:
        unknown = referenced_names(item.formula) - set(item.figures) - {POINTS}
    except FeelError as problem:
        raise Invalid(f"“{item.title}”的公式写得不对：{problem}") from None
    if unknown:
        raise Invalid(f"“{item.title}”的公式里没有 {'、'.join(sorted(unknown))}；可以用 {'、'.join([*item.figures, POINTS])}。")
    for value in (Decimal(0), Decimal(1)):
        item.reckon(dict.fromkeys(item.figures, value))
