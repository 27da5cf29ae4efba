"""The proof of a draw: one JSON file from which anybody draws again and compares. It holds no personal data beyond what things are called."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson

from engine.kernel.errors import Invalid
from engine.kernel.gm import sm3_hex
from engine.reporting.sampling.draw import LARGEST, Drawn, Item, Rule, draw

FORMAT = "guicheng-draw-1"
LARGEST_FILE = 64 * 2**20


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What drawing again from a proof showed. ``differences`` are sentences; none means that the proof holds."""

    title: str
    population: int
    picked: int
    differences: Sequence[str]


def population_sm3(population: Sequence[Item]) -> str:
    """The fingerprint of who was in the draw: ids and strata in the order of the ids."""
    return sm3_hex("\n".join(f"{item.id}|{item.stratum}" for item in sorted(population, key=lambda one: one.id)).encode())


def proof(*, head: Mapping[str, Any], population: Sequence[Item], rule: Rule, seed: str, drawn: Drawn) -> bytes:
    """The file. ``head`` says what was drawn for whom: title, register, filter, at, by, seed_source, redraw_of, reason."""
    return orjson.dumps({
        "format": FORMAT, "method": "每个编号的签 = SM3(种子 + '|' + 编号)；各层内签小的先中，必抽的先占本层名额",
        **head, "seed": seed, "rule": rule_as_json(rule), "population_sm3": population_sm3(population),
        "population": [[item.id, item.stratum, item.label] for item in population],
        "picked": [{"id": one.item.id, "stratum": one.item.stratum, "lot": one.lot, "rank": one.rank, "must": one.must} for one in drawn.picked],
    }, option=orjson.OPT_INDENT_2)


def rule_as_json(rule: Rule) -> dict[str, Any]:
    """The rule as proofs and rows hold it; what is empty is left out."""
    told: dict[str, Any] = {
        "number": rule.number, "ratio": str(rule.ratio) if rule.ratio is not None else None, "numbers": dict(rule.numbers), "least": rule.least,
        "must": sorted(rule.must), "without": sorted(rule.without),
    }
    return {key: value for key, value in told.items() if value}


def rule_of_json(told: Mapping[str, Any]) -> Rule:
    """The rule out of ``rule_as_json``; raises Invalid."""
    try:
        return Rule(
            number=told.get("number"), ratio=Decimal(told["ratio"]) if told.get("ratio") else None, numbers={str(k): int(v) for k, v in (told.get("numbers") or {}).items()},
            least=int(told.get("least") or 0), must=frozenset(map(str, told.get("must") or ())), without=frozenset(map(str, told.get("without") or ())),
        )
    except (InvalidOperation, TypeError, ValueError, AttributeError):
        raise Invalid("抽样标准写法不对，不能重算。") from None


def check_proof(content: bytes) -> Checked:
    """Draw again from a proof and compare. Raises Invalid for what is no proof; whatever was altered shows as a difference."""
    told = _read(content)
    population = [Item(id=str(id), stratum=str(stratum), label=str(label)) for id, stratum, label in told["population"]]
    again = draw(population, rule=rule_of_json(told["rule"]), seed=str(told["seed"]))
    differences = []
    if population_sm3(population) != told.get("population_sm3"):
        differences.append("范围名单与记录的指纹不符：名单被改过。")
    stated, found = [one.get("id") for one in told["picked"]], [one.item.id for one in again.picked]
    missing, extra = [id for id in found if id not in set(stated)], [id for id in stated if id not in set(found)]
    differences += [f"按种子应当抽中 {id}，结果里没有。" for id in missing[:20]] + [f"结果里有 {id}，按种子不应抽中。" for id in extra[:20]]
    if not missing and not extra and stated != found:
        differences.append("抽中的相同，但次序被改过。")
    return Checked(title=str(told.get("title", "")), population=len(population), picked=len(stated), differences=differences)


def _read(content: bytes) -> dict[str, Any]:
    if len(content) > LARGEST_FILE:
        raise Invalid("文件太大，不是抽样证明。")
    try:
        told = orjson.loads(content)
    except orjson.JSONDecodeError:
        raise Invalid("这不是抽样证明文件：读不出 JSON。") from None
    shaped = isinstance(told, dict) and told.get("format") == FORMAT and isinstance(told.get("rule"), dict) and isinstance(told.get("seed"), str)
    listed = shaped and isinstance(told.get("population"), list) and len(told["population"]) <= LARGEST and isinstance(told.get("picked"), list)
    if not listed or not all(isinstance(row, list) and len(row) == 3 for row in told["population"]) or not all(isinstance(row, dict) for row in told["picked"]):
        raise Invalid("这不是抽样证明文件：缺少名单、标准、种子或结果。")
    found: dict[str, Any] = told
    return found
