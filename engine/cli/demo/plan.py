"""The demo city as a plan: units, people, posts and logins, worked out from ``data`` before anything is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from engine.form_filling.checks import credit_code, identity_number
from engine.kernel.settings import DEMO_PASSWORD
from engine.packs.yaml import read_yaml

DATA = Path(__file__).parent / "data"
AREA = "310199"
PASSWORD = DEMO_PASSWORD


@dataclass(frozen=True, kw_only=True)
class UnitPlan:
    code: str
    parent: str | None
    bureau: str
    kind: str
    name: str
    short_name: str
    number_word: str = ""
    area: str = "310000"


@dataclass(frozen=True, kw_only=True)
class PersonPlan:
    login: str
    name: str
    unit: str
    post: str
    title: str
    rights: tuple[str, ...] = ()
    certificate: str | None = None


@dataclass
class CityPlan:
    """``units`` stand in the order in which they can be made."""

    units: list[UnitPlan] = field(default_factory=list)
    people: list[PersonPlan] = field(default_factory=list)


@cache
def read(name: str) -> Any:
    """``data/<name>.yaml`` as plain values."""
    return read_yaml((DATA / f"{name}.yaml").read_bytes(), file=f"{name}.yaml")


def city_plan() -> CityPlan:
    """All units and people, the same at every call: names are dealt out in a fixed order and never twice."""
    data, plan, names = read("city"), CityPlan(), invented_names()
    for bureau, spec in data["bureaus"].items():
        _city_level(plan, bureau, spec, data["posts"], names)
        for district in data["districts"]:
            _district(plan, bureau, spec, district, data["posts"], names)
    for bureau, spec in data["bureaus"].items():
        _later(plan, bureau, spec, data, names)
    return plan


def invented_names() -> Iterator[str]:
    """Surname and given name paired so that all are different and neighbours don't look alike."""
    data = read("names")
    surnames, given = data["surnames"].split(), data["given"].split()
    for turn in range(len(given)):
        for place, surname in enumerate(surnames):
            yield surname + given[(place * 7 + turn * 11) % len(given)]


def _city_level(plan: CityPlan, bureau: str, spec: Mapping[str, Any], posts: Mapping[str, Any], names: Iterator[str]) -> None:
    root = spec["code"]
    plan.units.append(
        UnitPlan(
            code=root,
            parent=None,
            bureau=bureau,
            kind="city_bureau",
            name=spec["name"],
            short_name=spec["short_name"],
            number_word=spec["number_word"],
        )
    )
    login = _join(spec["login"], "shi")
    _seat(plan, spec["city_people"], root, "city_bureau", login, posts, names)
    for unit in spec["city_units"]:
        code = f"{root}-{unit['key']}"
        plan.units.append(
            UnitPlan(code=code, parent=root, bureau=bureau, kind=unit["kind"], name=spec["name"] + unit["name"], short_name=unit["name"])
        )
        _seat(plan, unit["people"], code, unit["kind"], _join(login, unit["login"]), posts, names)


def _district(
    plan: CityPlan, bureau: str, spec: Mapping[str, Any], district: Mapping[str, Any], posts: Mapping[str, Any], names: Iterator[str]
) -> None:
    code, area = f"{spec['code']}-{district['area']}", district["area"]
    name = f"上海市{spec['district_name'].format(district=district['name'])}"
    plan.units.append(
        UnitPlan(
            code=code,
            parent=spec["code"],
            bureau=bureau,
            kind="district_bureau",
            name=name,
            area=area,
            short_name=spec["district_short_name"].format(district=district["name"]),
            number_word=spec["district_word"].format(**district),
        )
    )
    login = _join(spec["login"], district["key"])
    _seat(plan, spec["district_people"], code, "district_bureau", login, posts, names)
    for unit in spec["district_units"]:
        below, short = f"{code}-{unit['key']}", unit["name"].format(**district)
        plan.units.append(
            UnitPlan(code=below, parent=code, bureau=bureau, kind=unit["kind"], name=name + short, short_name=short, area=area)
        )
        _seat(plan, unit["people"], below, unit["kind"], _join(login, unit["login"]), posts, names)


def _later(plan: CityPlan, bureau: str, spec: Mapping[str, Any], data: Mapping[str, Any], names: Iterator[str]) -> None:
    """Units that came after all others, so that nobody who was there before gets another name."""
    later = spec.get("later", {})
    for unit in later.get("city", ()):
        _office(plan, bureau, unit, below=(spec["code"], spec["name"], "310000"), login=_join(spec["login"], "shi"), posts=data["posts"], names=names, words={})
    for district in data["districts"]:
        above = (f"{spec['code']}-{district['area']}", f"上海市{spec['district_name'].format(district=district['name'])}", district["area"])
        for unit in later.get("district", ()):
            _office(plan, bureau, unit, below=above, login=_join(spec["login"], district["key"]), posts=data["posts"], names=names, words=district)


def _office(
    plan: CityPlan, bureau: str, unit: Mapping[str, Any], *, below: tuple[str, str, str], login: str, posts: Mapping[str, Any], names: Iterator[str],
    words: Mapping[str, Any],
) -> None:
    """One unit below the bureau ``below`` (code, name, area) with its people."""
    parent, name, area = below
    short = unit["name"].format(**words)
    plan.units.append(UnitPlan(code=f"{parent}-{unit['key']}", parent=parent, bureau=bureau, kind=unit["kind"], name=name + short, short_name=short, area=area))
    _seat(plan, unit["people"], f"{parent}-{unit['key']}", unit["kind"], _join(login, unit["login"]), posts, names)


def _seat(plan: CityPlan, people: list[str], unit: str, kind: str, login: str, posts: Mapping[str, Any], names: Iterator[str]) -> None:
    """One person for each post in ``people``; a post that stands twice gets numbered logins."""
    for place, post in enumerate(people):
        spec = posts[post]
        number = f"{people[: place + 1].count(post)}" if people.count(post) > 1 else ""
        alone = bool(spec.get("rights"))
        plan.people.append(
            PersonPlan(
                login=spec["login"] if alone else _join(login, spec["login"] + number),
                name=spec.get("name") or next(names),
                unit=unit,
                post=post,
                title=spec.get("squad_title", spec["title"]) if kind == "squad" else spec["title"],
                rights=tuple(spec.get("rights", ())),
                certificate=f"沪演示{len(plan.people) + 1:05}" if spec.get("certificate") or post == "unit_head" else None,
            )
        )


def _join(*parts: str) -> str:
    return ".".join(part for part in parts if part)


def parties() -> dict[str, dict[str, Any]]:
    """key → what a form holds of a party, with numbers whose check digits are right."""
    data = read("parties")
    found: dict[str, dict[str, Any]] = {}
    for number, one in enumerate(data["organisations"], start=1):
        first = f"91{AREA}MA0000{number:03}"
        found[one["key"]] = {
            "kind": "organisation",
            "name": one["name"],
            "identifier_kind": "credit_code",
            "identifier": first + credit_code.check_character(first),
            "representative": one["representative"],
            "address": one["address"],
            "phone": one["phone"],
        }
    for number, one in enumerate(data["persons"], start=1):
        born: date = one["born"]
        first = f"{AREA}{born:%Y%m%d}{number * 2 + (one['sex'] == 'male'):03}"
        found[one["key"]] = {
            "kind": "person",
            "name": one["name"],
            "identifier_kind": "id_card",
            "identifier": first + identity_number.check_character(first),
            "address": one["address"],
            "phone": one["phone"],
        }
    return found
