"""Diagrams that were damaged at random: refused or run, in good time, and never anything but an answer in words."""
from __future__ import annotations

import random
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from lxml import etree

from engine.kernel.errors import DeployRefused, GuichengError
from engine.kernel.settings import ROOT
from engine.runtime.bpmn.deploy import compile_process
from engine.runtime.bpmn.trial import try_each

NOW = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
FILES = [path.read_bytes() for path in sorted([*ROOT.glob("processes/*/*.bpmn"), *ROOT.glob("tests/engine/runtime/bpmn/diagrams/*.bpmn")])]
OUTCOMES = {"waiting", "completed", "refused", "incident"}
TEXTS = ("", "=", "=1/0", "=for i in 1..100000 return i", "P-1D", "R/P0D", "R0/P1D", "9999-12-31T23:59:59", "true", "x.y.z(", "\u202e", "=" + "(" * 400, "a" * 5000, "-1", "999999999999")
SLOW = 4.0


def damage(root: Any, chance: random.Random) -> None:
    """Do one thing to the file that a broken tool, a slip of the mouse or ill will might do."""
    elements = [element for element in root.iter() if isinstance(element.tag, str)]
    victim, other = chance.choice(elements), chance.choice(elements)
    match chance.randrange(9):
        case 0 if victim.getparent() is not None:
            victim.getparent().remove(victim)
        case 1 if other is not root and victim not in other.iter():
            victim.append(etree.fromstring(etree.tostring(other)))
        case 2 if victim.attrib:
            del victim.attrib[chance.choice(list(victim.attrib))]
        case 3 if victim.attrib:
            victim.attrib[chance.choice(list(victim.attrib))] = chance.choice(TEXTS).replace("\0", "")
        case 4 if victim.attrib and other.attrib:
            victim.attrib[chance.choice(list(victim.attrib))] = other.attrib[chance.choice(list(other.attrib))]
        case 5:
            victim.tag = other.tag
        case 6:
            victim.text = chance.choice(TEXTS)
        case 7 if other is not root and victim not in other.iter():
            victim.append(other)
        case _:
            victim.set(chance.choice(["sourceRef", "targetRef", "attachedToRef", "default", "calledElement", "triggeredByEvent", "isForCompensation"]), other.get("id") or "x")


def answer(xml: bytes) -> None:
    """Try it as a stranger's file and as one to deploy; anything but an answer fails the test."""
    started = time.process_time()
    try:
        for result in list(try_each(xml, facts={"amount": 5}, now=NOW))[1:]:
            assert result["outcome"] in OUTCOMES
            assert all(found["message"] for found in result["findings"])
    except GuichengError as error:
        assert error.message  # noqa: PT017
    try:
        compile_process(xml, name="demo.any", resolve=lambda name: None)
    except DeployRefused as refused:
        assert refused.message  # noqa: PT017
    except GuichengError as error:
        assert error.message  # noqa: PT017
    assert time.process_time() - started < SLOW


def storm(seed: int, rounds: int) -> None:
    chance = random.Random(seed)
    for _ in range(rounds):
        root = etree.fromstring(chance.choice(FILES))
        for _ in range(chance.randint(1, 5)):
            damage(root, chance)
        answer(etree.tostring(root))


def test_damaged_diagrams_are_answered_in_words() -> None:
    storm(20261120, 120)


def test_cut_and_scrambled_bytes_are_answered_in_words() -> None:
    chance = random.Random(5)
    for _ in range(100):
        xml = bytearray(chance.choice(FILES))
        if chance.random() < 0.5:
            xml = xml[:chance.randrange(len(xml))]
        for _ in range(chance.randint(0, 5)):
            xml[chance.randrange(len(xml) or 1)] = chance.randrange(256)
        answer(bytes(xml))


@pytest.mark.prove
@pytest.mark.parametrize("seed", range(20))
def test_thousands_of_damaged_diagrams_are_answered_in_words(seed: int) -> None:
    storm(seed, 300)
