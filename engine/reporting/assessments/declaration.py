"""An assessment as ``processes/<pack>/assessments/<name>.yaml`` declares it; docs/assessments.md is the grammar."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from engine.kernel.errors import DeployRefused, Invalid
from engine.kernel.names import pack_of, qualify
from engine.packs.yaml import read_yaml
from engine.registers.declaration import Register
from engine.reporting.assessments.sheet import Find, Item, read_items
from engine.reporting.statistics.periods import GRAINS

KEYS = {"title", "period", "assessed", "full", "round", "score", "result", "scores", "grades", "items", "help"}
SHAPES: Mapping[str, Mapping[str, str]] = {
    "round": {"title": "text", "name": "text", "assessment": "text", "period": "text", "state": "choice", "items": "json", "version": "number", "units": "number", "counted_at": "datetime", "published_on": "date", "closed_on": "date"},
    "score": {
        "round": "record", "assessed": "unit", "item": "text", "title": "text", "place": "number", "kind": "choice", "automatic": "boolean", "points": "number", "figures": "json", "computed": "number",
        "score": "number", "words": "text", "evidence": "files", "scored_by": "text", "scored_on": "date",
    },
    "result": {"round": "record", "title": "text", "period": "text", "assessed": "unit", "total": "number", "place": "number", "grade": "choice", "closed_on": "date"},
}
"""The fields that a register of rounds, scores or results has."""
STATES = ("scoring", "published", "closed")
"""What ``state`` of a round holds: scored, shown to the assessed who may appeal, final."""


@dataclass(frozen=True, kw_only=True)
class Grade:
    """``code`` of the result's dictionary from ``least`` points on."""

    code: str
    least: Decimal


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """``assessed``: kinds of units. ``round``, ``score`` and ``result``: registers. ``scores``: the role that gives manual scores."""

    name: str
    title: str
    period: str
    assessed: tuple[str, ...]
    full: Decimal
    round: str
    score: str
    result: str
    scores: str
    grades: tuple[Grade, ...]
    items: tuple[Item, ...]
    help: str = ""

    def grade_of(self, total: Decimal) -> str:
        """The code of the highest grade that ``total`` reaches; empty when it reaches none."""
        return next((one.code for one in self.grades if total >= one.least), "")


def parse_assessment(content: bytes, *, name: str, statistic: Find, register: Callable[[str], Register | None]) -> Assessment:
    """The assessment in ``content``; raises DeployRefused with a finding per fault."""
    raw = read_yaml(content, file=f"assessments/{name}.yaml")
    raw = raw if isinstance(raw, Mapping) else {}
    pack, faults = pack_of(name), list[str]()
    if not raw.get("title") or set(raw) - KEYS:
        faults.append(f"考核要写 title，可写 {'、'.join(sorted(KEYS))}。")
    if raw.get("period") not in GRAINS:
        faults.append(f"period 写 {'、'.join(GRAINS)} 之一：多久考核一次。")
    kinds = raw.get("assessed")
    if not isinstance(kinds, list) or not kinds:
        faults.append("assessed 写被考核的单位种类的列表。")
    if not isinstance(raw.get("scores"), str):
        faults.append("scores 写给人工项目打分的角色。")
    registers = {what: _register(what, raw.get(what), pack, register, faults) for what in SHAPES}
    full = _number(raw.get("full", 100), "full 写满分。", faults)
    items = _items(raw.get("items"), pack, statistic, full, faults)
    grades = _grades(raw.get("grades") or [], faults)
    if faults:
        raise DeployRefused(f"考核 {name} 有 {len(faults)} 处不合要求：{faults[0]}", findings=[{"element": name, "rule": "assessment", "message": one} for one in faults])
    return Assessment(
        name=name, title=str(raw["title"]), period=raw["period"], assessed=tuple(map(str, kinds or [])), full=full, scores=qualify(raw["scores"], pack), grades=grades, items=items,
        help=str(raw.get("help", "")), **registers,
    )


def _register(what: str, told: Any, pack: str, find: Callable[[str], Register | None], faults: list[str]) -> str:
    name = qualify(told, pack) if isinstance(told, str) else ""
    found = find(name) if name else None
    if found is None:
        faults.append(f"{what} 写存{ {'round': '各轮', 'score': '得分', 'result': '结果'}[what] }的台账；没有台账 {name}。")
        return name
    wrong = [f"{field}（{kind}）" for field, kind in SHAPES[what].items() if field not in found.fields or found.fields[field].type != kind]
    if wrong or found.case != "many":
        faults.append(f"台账 {name} 要写 case: many，并且有这些栏目：{'、'.join(wrong) or '都有'}。")
    return name


def _number(told: Any, message: str, faults: list[str]) -> Decimal:
    try:
        value = Decimal(str(told))
    except InvalidOperation:
        value = Decimal(-1)
    if not value.is_finite() or value < 0:
        faults.append(message)
        return Decimal(0)
    return value


def _items(told: Any, pack: str, find: Find, full: Decimal, faults: list[str]) -> tuple[Item, ...]:
    if not isinstance(told, Mapping) or not all(isinstance(one, Mapping) for one in told.values()):
        faults.append("items 写成 代号: {title, points, …}。")
        return ()
    try:
        return read_items([{"key": key, **one} for key, one in told.items()], pack=pack, find=find, full=full)
    except Invalid as problem:
        faults += problem.fields.values() or [problem.message]
        return ()


def _grades(told: Any, faults: list[str]) -> tuple[Grade, ...]:
    if not isinstance(told, list) or not all(isinstance(one, Mapping) and set(one) == {"grade", "from"} for one in told):
        faults.append("grades 写成列表：{grade: 等次的代号, from: 分数}。")
        return ()
    found = [Grade(code=str(one["grade"]), least=_number(one["from"], "等次的 from 写分数。", faults)) for one in told]
    return tuple(sorted(found, key=lambda one: one.least, reverse=True))
