"""Damaged decision files end in DecisionError, findings or a value: never in another error, never in a hang."""
from __future__ import annotations

import random
import time
from pathlib import Path

from lxml import etree

from engine.decisions import DecisionError, compile_dmn

FILES = [
    path for level in ("level-2", "level-3") for path in sorted((Path(__file__).parent / "dmn_tck" / level).glob("*/*.dmn"))
    if path.stat().st_size < 20_000
]
TEXTS = ["", "-", "((", "for i in 1..1000000000 return i", "a b c d", "9 ** 9 ** 9", "{a: a}", "?", "null", "@\"x\"", "not(", "[1..", "function(x) x"]


def damage(root: etree._Element, chance: random.Random) -> None:
    """One random wound: an element or attribute gone, copied, renamed or with another text."""
    elements = list(root.iter("{*}*"))
    victim = chance.choice(elements)
    parent = victim.getparent()
    match chance.randrange(6):
        case 0 if parent is not None:
            parent.remove(victim)
        case 1 if parent is not None:
            parent.append(etree.fromstring(etree.tostring(victim)))
        case 2 if victim.attrib:
            del victim.attrib[chance.choice(list(victim.attrib))]
        case 3 if victim.attrib:
            victim.attrib[chance.choice(list(victim.attrib))] = chance.choice(["", "x", "#x", "number", "true", "COLLECT", "feel:string"])
        case 4:
            victim.tag = chance.choice(elements).tag
        case _:
            victim.text = chance.choice(TEXTS)


def ask_everything(xml: bytes) -> None:
    model = compile_dmn(xml)
    given = dict.fromkeys(model.inputs, 1)
    for strict in (False, True):
        for name in model.decisions[:3]:
            try:
                model.evaluate(name, given, strict=strict)
            except DecisionError as error:
                assert error.message  # noqa: PT017
        for name in model.invocables[:2]:
            try:
                model.invoke(name, {}, strict=strict)
            except DecisionError as error:
                assert error.message  # noqa: PT017


def test_damaged_files_raise_nothing_but_decision_errors() -> None:
    chance = random.Random(20261120)
    started = time.process_time()
    rounds = 0

    while rounds < 400 and time.process_time() - started < 12:
        rounds += 1
        root = etree.fromstring(chance.choice(FILES).read_bytes())
        for _ in range(chance.randint(1, 4)):
            damage(root, chance)
        try:
            ask_everything(etree.tostring(root))
        except DecisionError as error:
            assert error.message  # noqa: PT017

    assert rounds > 20


def test_cut_and_scrambled_bytes_raise_nothing_but_decision_errors() -> None:
    chance = random.Random(3)

    for _ in range(300):
        xml = bytearray(chance.choice(FILES).read_bytes())
        if chance.random() < 0.5:
            xml = xml[:chance.randrange(len(xml))]
        for _ in range(chance.randint(0, 5)):
            xml[chance.randrange(len(xml) or 1)] = chance.randrange(256)
        try:
            ask_everything(bytes(xml))
        except DecisionError as error:
            assert error.message  # noqa: PT017
