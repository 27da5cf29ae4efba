"""A small organisation for tests: one city bureau with a section, two district bureaus with sections and stations."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from uuid import UUID

from sqlalchemy import Connection, insert

from engine.access import Actor
from engine.access.actors import find_actor_by_login
from engine.access.staffing import create_account, create_person, create_unit, give_post
from engine.kernel.ids import new_id
from engine.storage.tables.cases import case_file

AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
TODAY = date(2026, 3, 2)
SINCE = date(2020, 1, 1)


@dataclass
class City:
    """``units`` by code; ``sit`` adds a person with a post and an account whose login is the name given."""

    connection: Connection
    units: dict[str, UUID] = field(default_factory=dict)

    def unit(self, code: str, kind: str, parent: str | None, bureau: str = "market_regulation") -> UUID:
        self.units[code] = create_unit(
            self.connection,
            parent_id=self.units[parent] if parent else None,
            bureau=bureau,
            kind=kind,
            code=code,
            name=f"单位{code}",
            short_name=code,
            at=AT,
        )
        return self.units[code]

    def sit(self, login: str, unit: str, post: str, *, rights: tuple[str, ...] = (), password_hash: str = "-") -> Actor:
        person_id = create_person(self.connection, name=f"人{login}", pinyin=f"ren{login}", at=AT)
        give_post(self.connection, person_id=person_id, unit_id=self.units[unit], code=post, title=post, valid_from=SINCE, main=True)
        create_account(
            self.connection, person_id=person_id, login=login, password_hash=password_hash, at=AT, rights=rights, must_change=False
        )
        return self.actor(login)

    def actor(self, login: str) -> Actor:
        actor = find_actor_by_login(self.connection, login=login, on=TODAY)
        assert actor is not None
        return actor

    def case(self, unit: str, *, handler: Actor | None = None, created_by: Actor | None = None) -> UUID:
        id = new_id()
        self.connection.execute(
            insert(case_file).values(
                id=id,
                kind="demo.case",
                title="案件",
                state="open",
                state_title="办理中",
                unit_id=self.units[unit],
                handler_id=handler.person_id if handler else None,
                created_by=created_by.person_id if created_by else None,
                created_at=AT,
                updated_at=AT,
            )
        )
        return id


def small_city(connection: Connection) -> City:
    city = City(connection)
    city.unit("T", "city_bureau", None)
    city.unit("T_law", "section", "T")
    for district in ("TA", "TB"):
        city.unit(district, "district_bureau", "T")
        city.unit(f"{district}_food", "section", district)
        city.unit(f"{district}_case", "section", district)
        city.unit(f"{district}_legal", "legal_section", district)
        city.unit(f"{district}_s1", "station", district)
        city.unit(f"{district}_s2", "station", district)
    return city
