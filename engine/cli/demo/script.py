"""Stories as a list of acts in the order of time: pure planning over ``data/stories.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from engine.cli.demo.plan import parties, read
from engine.kernel.clock import SHANGHAI, legal_date
from engine.reference.calendars import Calendar

OPENS, PACE = time(9, 12), timedelta(minutes=17)
LAST = timedelta(minutes=5)
# Just after midnight the day has no room yet for what should have happened in it.
NIGHT = timedelta(minutes=30)


@dataclass(frozen=True, kw_only=True)
class Story:
    """One demo case: who works on it and what is known about it. ``people`` maps parts to logins where the story names them itself."""

    key: str
    district: str
    station: str
    section: str
    joint: str
    facts: Mapping[str, Any]
    into: str | None
    place: int
    people: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class PlannedAct:
    """One act of a story; ``key`` is its idempotency key, ``step`` what stands under ``steps`` in the file, ``form`` what it fills in."""

    key: str
    story: Story
    step: Mapping[str, Any]
    at: datetime
    opinion: str
    form: Mapping[str, Any] | None = None


def planned_acts(*, calendar: Calendar, now: datetime) -> list[PlannedAct]:
    """Every act of every story in the order of time, the last ones a few minutes before ``now``."""
    from engine.cli.demo.pack_stories import pack_acts

    data = read("stories")
    known = parties()
    acts = [act for place, case in enumerate(data["cases"]) for act in _acts(data, _story(data, case, known, place), case, calendar, now)]
    acts += pack_acts(calendar=calendar, now=now, first_place=len(data["cases"]))
    return sorted(acts, key=lambda act: act.at)


def form_data(act: PlannedAct, more: Mapping[str, Any]) -> dict[str, Any]:
    """What the act's form is filled with; values that nobody knows are left out."""
    known = {**act.story.facts, "today": legal_date(act.at).isoformat(), **more}
    form: Mapping[str, Any] = read("stories")["forms"][act.step.get("form", "nothing")] if act.form is None else act.form
    filled = {name: known.get(value[1:]) if isinstance(value, str) and value.startswith("$") else value for name, value in form.items()}
    return {name: value for name, value in filled.items() if value is not None}


def login_of(story: Story, who: str) -> str:
    """The login of a part in the story."""
    if story.people:
        return story.people[who]
    offices = {
        "officer": f"{story.station}.chengban1",
        "second": f"{story.station}.chengban2",
        "office_head": f"{story.station}.fuzeren",
        "staff": f"{story.section}.jingban",
        "section_head": f"{story.section}.fuzeren",
        "joint_staff": f"{story.joint}.jingban",
        "joint_head": f"{story.joint}.fuzeren",
        "agency_head": "juzhang",
    }
    return f"{story.district}.{offices[who]}"


def _story(data: Mapping[str, Any], case: Mapping[str, Any], known: Mapping[str, Any], place: int) -> Story:
    topic = data["topics"][case["topic"]]
    district, station = case["at"].rsplit(".", 1)
    party = known[case["party"]]
    title = topic["title"].format(name=party["name"])
    facts = {
        "title": title,
        "cause": title.removeprefix("反映"),
        "content": topic["content"],
        "findings": topic["findings"],
        "violation": topic["violation"],
        "category": topic["category"],
        "source": case["source"],
        "party": party,
        "known_party": party if place % 3 else None,
        "party_name": party["name"],
        "detail": case["detail"],
        "ground": case.get("ground"),
        "reason": case.get("reason"),
        "external_id": case.get("external"),
        "law_version": topic.get("law", "other"),
        "discretion": topic.get("discretion"),
        "fine": topic.get("fine"),
        "matter_reason": case.get("matter"),
        "matter_reason_end": "检验报告已收到，暂停的事由消除。",
    }
    return Story(
        key=case["key"],
        district=district,
        station=station,
        section=topic["section"],
        joint=topic["joint"],
        facts=facts,
        into=case.get("into"),
        place=place,
    )


def _acts(data: Mapping[str, Any], story: Story, case: Mapping[str, Any], calendar: Calendar, now: datetime) -> list[PlannedAct]:
    number = calendar.count_upto(legal_date(now - NIGHT)) - case["ago"]
    path: list[str] = data["paths"][case["path"]]
    first = calendar.working_day(number)
    dated: dict[str, Any] = {
        "received_on": first.isoformat(),
        "assigned_on": first.isoformat() if case.get("assigned") else None,
        "external_id": f"TS{first:%Y%m%d}{story.place:04}" if case.get("external") else None,
    }
    story = Story(**{**vars(story), "facts": {**story.facts, **dated}})
    acts, on_this_day = [], 0
    for place, word in enumerate(path):
        name, _, days = word.partition("+")
        number += int(days or 0)
        on_this_day = 0 if days and int(days) else on_this_day + 1
        step = data["steps"][name]
        at = moment(calendar.working_day(number), story.place, on_this_day)
        at = min(at, now - LAST - timedelta(seconds=20 * (len(path) - place) + story.place))
        opinions = step.get("opinions") or [""]
        acts.append(
            PlannedAct(
                key=f"demo:{story.key}:{place}", story=story, step=step, at=at, opinion=opinions[(story.place + place) % len(opinions)]
            )
        )
    return acts


def moment(day: date, place: int, on_this_day: int) -> datetime:
    """Within office hours, different for every story, later for later acts of a day."""
    start = datetime.combine(day, OPENS, SHANGHAI)
    return start + timedelta(minutes=place * 7 % 60, seconds=place * 13 % 60) + on_this_day * PACE
