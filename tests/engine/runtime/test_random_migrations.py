"""Random acts on the approval chain, a random new version of it, and the move: the dry run says what happens, and whatever happens the rows agree."""
from __future__ import annotations

import re
from random import Random

import pytest

from engine.kernel.errors import GuichengError
from engine.kernel.settings import ROOT
from engine.runtime.invariants import find_violations
from tests.engine.runtime.test_migration import deploy, everything, items, look, root, start
from tests.engine.runtime.test_random_acts import Chaos
from tests.town import Town

CHAIN = (ROOT / "processes" / "approval" / "chain.bpmn").read_text(encoding="utf-8")
STEPS = re.findall(r'<bpmn:userTask id="([a-z_]+)"', CHAIN)


def edited(draw: Random) -> str:
    """One to three changes to the chain."""
    text = CHAIN
    for number in range(draw.randint(1, 3)):
        step = draw.choice(STEPS)
        match draw.choice(["rename", "title", "due", "timer", "forget"]):
            case "rename":
                text = re.sub(rf'(?<!gc:form=")(?<![.\w]){step}(?!\w)', f"{step}_{number}", text)
            case "title":
                text = text.replace(f'<bpmn:userTask id="{step}" name="', f'<bpmn:userTask id="{step}" name="新')
            case "due":
                text = text.replace(f'<bpmn:userTask id="{step}" name', f'<bpmn:userTask id="{step}" gc:due="{draw.randint(1, 9)} working_day" name', 1) if f'id="{step}" gc:due' not in text else text
            case "timer" if f'<bpmn:userTask id="{step}"' in text and f"slow_{step}" not in text:
                late = (f'<bpmn:boundaryEvent id="slow_{step}" attachedToRef="{step}" cancelActivity="false"><bpmn:timerEventDefinition><bpmn:timeDuration>P9D</bpmn:timeDuration>'
                        f'</bpmn:timerEventDefinition></bpmn:boundaryEvent><bpmn:endEvent id="slow_{step}_end"/><bpmn:sequenceFlow id="slow_{step}_flow" sourceRef="slow_{step}" '
                        f'targetRef="slow_{step}_end"/>')
                text = text.replace("</bpmn:process>", late + "</bpmn:process>")
            case _:
                text = text.replace(' gc:remember="true"', "")
    return text


@pytest.mark.parametrize("seed", range(1))
def test_the_dry_run_says_what_happens(town: Town, seed: int) -> None:
    _story(town, seed)


@pytest.mark.prove
@pytest.mark.parametrize("seed", range(100, 140))
def test_many_dry_runs_say_what_happens(town: Town, seed: int) -> None:
    _story(town, seed)


def _story(town: Town, seed: int) -> None:
    chaos = Chaos(town, seed)
    for _ in range(12):
        chaos.step()
    draw = Random(seed + 1)
    content = edited(draw)
    if content == CHAIN:
        return
    deploy(town, content, filename="chain.bpmn", pack="approval")
    before = everything(town)
    process = root(town)
    id = look(town, process=process)
    [looked] = [row for row in items(town, id) if row["case_id"] == chaos.case_id] or [None]
    assert everything(town) == before
    if looked is None:
        return
    mapping = {need["key"]: need["suggested"] for need in looked["detail"]["needs"] if need["suggested"]} if draw.random() < 0.7 else {}
    if mapping:
        id = look(town, process=process, mapping=mapping)
        [looked] = [row for row in items(town, id) if row["case_id"] == chaos.case_id]
    [done] = [row for row in start(town, id) if row["case_id"] == chaos.case_id]
    assert (done["state"] == "done") == (looked["verdict"] == "fits"), (looked["verdict"], done["reason"])
    assert find_violations(town.app) == []
    if done["state"] != "done":
        assert done["reason"] and everything(town) == before
    for _ in range(10):
        try:
            chaos.step()
        except GuichengError as error:
            raise AssertionError(error.message) from error
        assert find_violations(town.app) == []
