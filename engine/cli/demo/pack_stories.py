"""Demo cases that a pack brings itself: ``processes/<pack>/stories.yaml``, see docs/content.md."""
from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from engine.cli.demo.plan import parties
from engine.cli.demo.script import LAST, NIGHT, PlannedAct, Story, moment
from engine.kernel.clock import legal_date
from engine.kernel.names import qualify
from engine.kernel.settings import ROOT
from engine.packs.folder import pack_names
from engine.packs.yaml import read_yaml
from engine.reference.calendars import Calendar

FILE = "stories.yaml"
CODES = ("start", "matter")


def pack_acts(*, calendar: Calendar, now: datetime, first_place: int) -> list[PlannedAct]:
    """Every act of every story that packs bring; ``first_place`` is the number of stories before them."""
    acts: list[PlannedAct] = []
    for pack in pack_names(ROOT):
        data = _read(ROOT / "processes" / pack / FILE)
        for case in data.get("cases", ()):
            acts += _acts(data, case, pack, first_place, calendar, now)
            first_place += 1
    return acts


@cache
def _read(path: Path) -> Mapping[str, Any]:
    return read_yaml(path.read_bytes(), file=str(path.name)) if path.exists() else {}


def _acts(data: Mapping[str, Any], case: Mapping[str, Any], pack: str, place: int, calendar: Calendar, now: datetime) -> list[PlannedAct]:
    number = calendar.count_upto(legal_date(now - NIGHT)) - case["ago"]
    first = calendar.working_day(number)
    story = Story(
        key=f"{pack}.{case['key']}", district="", station="", section="", joint="", into=None, place=place,
        facts=_facts({**data.get("facts", {}), **case.get("facts", {})}, first), people={**data.get("people", {}), **case.get("people", {})},
    )
    path, acts, on_this_day = case["path"], [], 0
    for index, word in enumerate(path):
        name, _, days = word.partition("+")
        number += int(days or 0)
        on_this_day = 0 if days and int(days) else on_this_day + 1
        step = {key: qualify(value, pack) if key in CODES else value for key, value in data["steps"][name].items()}
        at = min(moment(calendar.working_day(number), place, on_this_day), now - LAST - timedelta(seconds=20 * (len(path) - index) + place))
        opinions = step.get("opinions") or [""]
        acts.append(PlannedAct(
            key=f"demo:{story.key}:{index}", story=story, step=step, at=at, opinion=opinions[(place + index) % len(opinions)],
            form=data.get("forms", {}).get(step.get("form"), {}),
        ))
    return acts


def _facts(given: Mapping[str, Any], first: Any) -> dict[str, Any]:
    """What forms may name with ``$``: the story's own words, its party in full, the day on which it begins."""
    known = parties()
    return {"first_day": first.isoformat(), **{name: known[value.removeprefix("@party:")] if str(value).startswith("@party:") else value for name, value in given.items()}}
