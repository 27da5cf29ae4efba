"""The draw itself: pure, and the same for everybody who has population, rule and seed.

Every item gets the lot SM3(seed, "|", its id); in each stratum the smallest lots are picked. Nobody who doesn't know the seed
can tell who will be picked, and whoever knows it can check that nobody was favoured.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal

from engine.kernel.errors import Invalid
from engine.kernel.gm import sm3_hex

LARGEST = 200_000


@dataclass(frozen=True, kw_only=True)
class Item:
    """One thing that may be picked; ``label`` is what people call it."""

    id: str
    stratum: str = ""
    label: str = ""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """How many are picked.

    ``number``: so many in all, shared among the strata by their size (largest remainder). ``ratio``: percent of every stratum, rounded
    up. ``numbers``: so many of each stratum named, none of the others. Exactly one of the three. ``least``: at least so many of every
    stratum, as far as it goes. ``must``: ids that are picked whatever their lot, on top of nobody: they take a place of their stratum.
    ``without``: ids that are not in the draw at all.
    """

    number: int | None = None
    ratio: Decimal | None = None
    numbers: Mapping[str, int] = field(default_factory=dict)
    least: int = 0
    must: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if sum((self.number is not None, self.ratio is not None, bool(self.numbers))) != 1:
            raise Invalid("抽样标准要写明抽多少：总数、比例、各层数量，只能写一种。")
        if self.number is not None and self.number < 1:
            raise Invalid("抽样总数至少是 1。")
        if self.ratio is not None and not 0 < self.ratio <= 100:
            raise Invalid("抽样比例要大于 0，不超过 100。")
        if self.least < 0 or any(count < 0 for count in self.numbers.values()):
            raise Invalid("抽样数量不能是负数。")
        if self.must & self.without:
            raise Invalid("同一个不能既必抽又排除。")


@dataclass(frozen=True, kw_only=True)
class Picked:
    """One that was picked: its rank by lot in its stratum (from 1), and whether it had to be."""

    item: Item
    lot: str
    rank: int
    must: bool


@dataclass(frozen=True, kw_only=True)
class Stratum:
    name: str
    size: int
    wanted: int
    picked: int


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """``picked`` by stratum, then must-haves, then lot."""

    picked: Sequence[Picked]
    strata: Sequence[Stratum]


def draw(population: Sequence[Item], *, rule: Rule, seed: str) -> Drawn:
    """Pick from ``population``. Raises Invalid for no seed, an empty or too large population, twice the same id, a must-have that isn't in it."""
    _check(population, rule, seed)
    strata: dict[str, list[Item]] = {}
    for item in population:
        if item.id not in rule.without:
            strata.setdefault(item.stratum, []).append(item)
    if not strata:
        raise Invalid("排除之后没有可抽的，请放宽范围。")
    wanted = _shares(rule, {name: len(items) for name, items in strata.items()})
    picked: list[Picked] = []
    told = []
    for name in sorted(strata):
        found = _of_stratum(strata[name], wanted[name], rule, seed)
        picked += found
        told.append(Stratum(name=name, size=len(strata[name]), wanted=wanted[name], picked=len(found)))
    return Drawn(picked=picked, strata=told)


def lot_of(seed: str, id: str) -> str:
    """The lot of one item: 64 hexadecimal digits."""
    return sm3_hex(f"{seed}|{id}".encode())


def _check(population: Sequence[Item], rule: Rule, seed: str) -> None:
    ids = {item.id for item in population}
    if not seed.strip():
        raise Invalid("抽样要有随机种子，请填一个公开的数或让系统生成。")
    if not population:
        raise Invalid("范围内一个也没有，不能抽样。请放宽范围。")
    if len(population) > LARGEST:
        raise Invalid(f"范围内有 {len(population)} 个，一次最多从 {LARGEST} 个里抽，请缩小范围。")
    if len(ids) != len(population):
        raise Invalid("范围内有重复的编号，不能抽样。")
    if rule.must - ids:
        raise Invalid(f"有 {len(rule.must - ids)} 个必抽的不在范围内，请核对。")


def _shares(rule: Rule, sizes: Mapping[str, int]) -> dict[str, int]:
    """{stratum: how many}, never more than there are."""
    if rule.ratio is not None:
        found = {name: int((size * rule.ratio / 100).to_integral_value(ROUND_CEILING)) for name, size in sizes.items()}
    elif rule.numbers:
        found = {name: rule.numbers.get(name, 0) for name in sizes}
    else:
        found = _by_size(int(rule.number or 0), sizes)
    return {name: min(sizes[name], max(count, rule.least)) for name, count in found.items()}


def _by_size(number: int, sizes: Mapping[str, int]) -> dict[str, int]:
    """``number`` shared in proportion: whole parts first, the rest by the largest remainder, then by name."""
    total = sum(sizes.values())
    exact = {name: Decimal(min(number, total)) * size / total for name, size in sizes.items()}
    found = {name: int(share) for name, share in exact.items()}
    left = min(number, total) - sum(found.values())
    for name in sorted(sizes, key=lambda one: (found[one] - exact[one], one))[:left]:
        found[name] += 1
    return found


def _of_stratum(items: Sequence[Item], wanted: int, rule: Rule, seed: str) -> list[Picked]:
    ranked = sorted(((lot_of(seed, item.id), item) for item in items), key=lambda pair: (pair[0], pair[1].id))
    lots = [Picked(item=item, lot=lot, rank=rank, must=item.id in rule.must) for rank, (lot, item) in enumerate(ranked, start=1)]
    must = [one for one in lots if one.must]
    return must + [one for one in lots if not one.must][: max(0, wanted - len(must))]
