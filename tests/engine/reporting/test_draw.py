"""The draw is the same for everybody, favours nobody, and its proof shows whatever was altered."""
from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import orjson
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as some

from engine.cli.draw import command
from engine.kernel.errors import Invalid
from engine.kernel.gm import sm3_hex
from engine.reporting.sampling.draw import Item, Rule, draw
from engine.reporting.sampling.proof import check_proof, proof

PEOPLE = [Item(id=f"{n:03}", stratum="东" if n % 3 else "西", label=f"点位{n}") for n in range(60)]


def ids(rule: Rule, seed: str = "20261120", population: list[Item] = PEOPLE) -> list[str]:
    return [one.item.id for one in draw(population, rule=rule, seed=seed).picked]


@pytest.mark.parametrize(("rule", "counts"), [
    (Rule(ratio=Decimal("5")), {"东": 2, "西": 1}), (Rule(ratio=Decimal("100")), {"东": 40, "西": 20}), (Rule(number=10), {"东": 7, "西": 3}),
    (Rule(number=1), {"东": 1}), (Rule(number=1, least=2), {"东": 2, "西": 2}), (Rule(numbers={"西": 4}), {"西": 4}), (Rule(number=999), {"东": 40, "西": 20}),
])
def test_how_many_of_each_stratum(rule: Rule, counts: dict[str, int]) -> None:
    assert Counter("东" if int(id) % 3 else "西" for id in ids(rule)) == counts


def test_the_lots_are_what_anybody_computes() -> None:
    east = sorted((sm3_hex(f"20261120|{item.id}".encode()), item.id) for item in PEOPLE if item.stratum == "东")
    assert ids(Rule(numbers={"东": 5})) == [id for _, id in east[:5]]


def test_must_haves_take_a_place_and_what_is_out_is_out() -> None:
    west = [item.id for item in PEOPLE if item.stratum == "西"]
    found = ids(Rule(number=6, must=frozenset({west[0]}), without=frozenset(west[1:3])))
    assert west[0] in found and not set(west[1:3]) & set(found) and len(found) == 6
    assert len(ids(Rule(numbers={"西": 1}, must=frozenset(west[:3])))) == 3


@given(some.lists(some.text("0123456789abcdef", min_size=1, max_size=6), unique=True, min_size=1, max_size=60), some.text(min_size=1, max_size=9).filter(str.strip), some.integers(1, 80))
def test_order_of_the_list_does_not_matter(names: list[str], seed: str, number: int) -> None:
    items = [Item(id=name) for name in names]
    first, second = (ids(Rule(number=number), seed, list(order)) for order in (items, reversed(items)))
    assert first == second and len(first) == min(number, len(names)) == len(set(first))


def test_nobody_is_favoured_over_many_seeds() -> None:
    often = Counter(id for seed in range(400) for id in ids(Rule(number=6), str(seed)))
    assert len(often) == 60 and min(often.values()) > 15 and max(often.values()) < 75


@pytest.mark.parametrize(("values", "said"), [
    ({}, "只能写一种"), ({"number": 1, "ratio": Decimal(1)}, "只能写一种"), ({"number": 0}, "至少是 1"), ({"ratio": Decimal(101)}, "不超过 100"), ({"number": 1, "least": -1}, "负数"),
    ({"number": 1, "must": frozenset("a"), "without": frozenset("a")}, "既必抽又排除"),
])
def test_a_rule_that_makes_no_sense_is_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(Invalid, match=said):
        Rule(**values)


@pytest.mark.parametrize(("population", "rule", "seed", "said"), [
    ([], Rule(number=1), "x", "一个也没有"), (PEOPLE, Rule(number=1), "  ", "随机种子"), ([*PEOPLE, PEOPLE[0]], Rule(number=1), "x", "重复"),
    (PEOPLE, Rule(number=1, must=frozenset({"999"})), "x", "不在范围内"), (PEOPLE[:1], Rule(number=1, without=frozenset({"000"})), "x", "排除之后"),
])
def test_a_draw_that_cannot_be_is_refused(population: list[Item], rule: Rule, seed: str, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        draw(population, rule=rule, seed=seed)


def made() -> dict[str, Any]:
    rule = Rule(number=6, least=1, must=frozenset({"001"}))
    drawn = draw(PEOPLE, rule=rule, seed="20261120")
    found: dict[str, Any] = orjson.loads(proof(head={"title": "第四季度抽样"}, population=PEOPLE, rule=rule, seed="20261120", drawn=drawn))
    return found


def test_a_proof_holds_and_every_alteration_shows() -> None:
    assert check_proof(orjson.dumps(made())).differences == []
    altered = []
    for change in (
        lambda one: one.update(seed="20261121"), lambda one: one["population"].pop(), lambda one: one["population"][1].__setitem__(1, "西"), lambda one: one["picked"].pop(),
        lambda one: one["picked"].reverse(), lambda one: one["picked"][1].update(id="777"), lambda one: one["rule"].update(number=5),
    ):
        told = made()
        change(told)
        altered.append(bool(check_proof(orjson.dumps(told)).differences))
    assert altered == [True] * 7


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"format":"guicheng-draw-1"}', orjson.dumps({**made(), "population": [1]}), orjson.dumps({**made(), "rule": {"ratio": "x"}})])
def test_what_is_no_proof_is_refused(content: bytes) -> None:
    with pytest.raises(Invalid):
        check_proof(content)


def test_the_command_says_so_and_ends_with_one(tmp_path: Any) -> None:
    path = tmp_path / "draw.json"
    path.write_bytes(orjson.dumps(made()))
    good = CliRunner().invoke(command, [str(path)])
    assert good.exit_code == 0 and "一致" in good.output
    path.write_bytes(orjson.dumps({**made(), "seed": "别的"}))
    bad = CliRunner().invoke(command, [str(path), "--json"])
    assert bad.exit_code == 1 and orjson.loads(bad.output)["same"] is False
