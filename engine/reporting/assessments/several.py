"""An item that several people score, each on a sheet of their own, and how their marks become one score."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, Protocol

from engine.kernel.errors import Invalid
from engine.kernel.names import qualify

RULES: Mapping[str, str] = {"average": "取平均", "middle": "去掉最高、最低各一个后平均", "weighted": "按岗位加权"}
FEWEST: Mapping[str, int] = {"average": 2, "middle": 3, "weighted": 1}
"""How many marks a rule needs at least."""
MOST, MOST_ROLES = 50, 10
_CENT = Decimal("0.01")


class Marked(Protocol):
    """One person's mark; ``role`` is the role they gave it in."""

    @property
    def role(self) -> str: ...
    @property
    def score(self) -> Decimal: ...


@dataclass(frozen=True, kw_only=True)
class Several:
    """``least`` marks make a score. ``weights``: {role: weight}, for the rule ``weighted``, whose roles must all have marked."""

    rule: str
    least: int
    weights: Mapping[str, Decimal] = field(default_factory=dict)

    @property
    def told(self) -> str:
        return f"{RULES[self.rule]}，至少 {self.least} 人"

    def merge(self, marks: Sequence[Marked]) -> Decimal | None:
        """The score of the item, to the cent; None while too few have marked."""
        if len(marks) < self.least:
            return None
        values = sorted(one.score for one in marks)
        if self.rule == "weighted":
            by_role = {role: [one.score for one in marks if one.role == role] for role in self.weights}
            if not all(by_role.values()):
                return None
            whole = sum(self.weights.values(), Decimal(0))
            merged = sum((weight * _mean(by_role[role]) for role, weight in self.weights.items()), Decimal(0)) / whole
        else:
            merged = _mean(values[1:-1] if self.rule == "middle" else values)
        return merged.quantize(_CENT, ROUND_HALF_UP)

    def plain(self) -> dict[str, Any]:
        """As ``read_several`` reads it back."""
        told: dict[str, Any] = {"rule": self.rule, "least": self.least}
        return {**told, "weights": {role: str(weight) for role, weight in self.weights.items()}} if self.weights else told


def _mean(values: Sequence[Decimal]) -> Decimal:
    return sum(values, Decimal(0)) / len(values)


def read_several(told: Any, *, title: str, pack: str) -> Several | None:
    """``{rule, least, weights}``; None for nothing. Raises Invalid."""
    if not told:
        return None
    if not isinstance(told, Mapping) or set(told) - {"rule", "least", "weights"} or told.get("rule") not in RULES:
        raise Invalid(f"“{title}”的 several 写 rule（{'、'.join(RULES)} 之一）、least、weights。")
    rule, roles = str(told["rule"]), told.get("weights") or {}
    weights = _weights(roles, title, pack)
    if bool(weights) != (rule == "weighted"):
        raise Invalid(f"“{title}”的 weights 写给按岗位加权的各个角色，别的办法不写。")
    least = told.get("least", max(FEWEST[rule], len(weights)))
    if not str(least).isdigit() or not max(FEWEST[rule], len(weights)) <= int(least) <= MOST:
        raise Invalid(f"“{title}”至少几人打分写 {max(FEWEST[rule], len(weights))} 到 {MOST} 的数：{RULES[rule]}。")
    return Several(rule=rule, least=int(least), weights=weights)


def _weights(roles: Any, title: str, pack: str) -> dict[str, Decimal]:
    try:
        found = {qualify(str(role), pack): Decimal(str(weight)) for role, weight in roles.items()}
    except (InvalidOperation, ValueError, AttributeError):
        raise Invalid(f"“{title}”的权重写成 角色: 数，如 city_staff: 60。") from None
    if len(found) > MOST_ROLES or not all(weight.is_finite() and weight > 0 for weight in found.values()):
        raise Invalid(f"“{title}”的权重写大于 0 的数，最多 {MOST_ROLES} 个角色。")
    return found
