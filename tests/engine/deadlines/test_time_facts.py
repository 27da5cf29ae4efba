"""Each hard fact of time in the requirements, as a line of time_facts.yaml: by the command's own door and by walking day by day."""
from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest

from engine.deadlines.lines import _event, _rule, answer, declared_clocks
from engine.kernel.settings import ROOT
from engine.packs.yaml import read_yaml
from engine.reference.calendars import published_calendar
from tests.engine.deadlines.slow_model import slow_due

FACTS: Any = read_yaml((Path(__file__).parent / "time_facts.yaml").read_bytes(), file="time_facts.yaml")
CALENDAR, DECLARED = published_calendar(), declared_clocks(ROOT)


@pytest.mark.parametrize("fact", FACTS, ids=[fact["what"] for fact in FACTS])
def test_the_law_says_this_day(fact: dict[str, Any]) -> None:
    asked = {"clock": fact["clock"], "start": fact["start"], "events": fact["events"]}
    told = answer(orjson.dumps(asked), calendar=CALENDAR, declared=DECLARED)
    if "error" in fact:
        assert fact["error"] in told.get("error", ""), told
        return
    due: date | None = fact["due"]
    assert told.get("due") == (due.isoformat() if due else None), told
    plain = orjson.loads(orjson.dumps(fact["events"]))
    rule = _rule(fact["clock"], fact["start"], DECLARED)
    assert slow_due(rule, fact["start"], [_event(event) for event in plain], CALENDAR) == due
