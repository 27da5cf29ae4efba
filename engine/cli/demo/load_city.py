"""Write the planned city: what is there already, by unit code and login, is left as it is."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, select

from engine.access.parties import PartyInput, save_party
from engine.access.passwords import hash_password
from engine.access.staffing import create_account, create_person, create_unit, give_post
from engine.cli.demo.plan import PASSWORD, CityPlan, PersonPlan, parties
from engine.kernel.clock import legal_date
from engine.reference.pinyin import pinyin_key
from engine.runtime.application import Application
from engine.storage.tables.organisation import account, unit

SINCE = date(2024, 1, 1)
UNTIL = date(2029, 12, 31)


def load_city(app: Application, plan: CityPlan, *, at: datetime) -> int:
    """Units, people with posts, certificates and accounts, known parties; how many people were new."""
    with app.db.begin() as connection:
        units = _units(connection, plan, at)
        known = set(connection.execute(select(account.c.login)).scalars())
        missing = [person for person in plan.people if person.login not in known]
        hashed = hash_password(PASSWORD) if missing else ""
        for place, person in enumerate(missing):
            _hire(connection, person, unit_id=units[person.unit], password_hash=hashed, place=place, at=at)
        for party in parties().values():
            save_party(connection, app.keys, given=_given(party), at=at)
    return len(missing)


def _units(connection: Connection, plan: CityPlan, at: datetime) -> dict[str, UUID]:
    ids: dict[str, UUID] = dict(connection.execute(select(unit.c.code, unit.c.id)).all())
    for one in plan.units:
        if one.code not in ids:
            ids[one.code] = create_unit(
                connection,
                parent_id=ids[one.parent] if one.parent else None,
                bureau=one.bureau,
                kind=one.kind,
                code=one.code,
                name=one.name,
                short_name=one.short_name,
                number_word=one.number_word,
                area_code=one.area,
                at=at,
            )
    return ids


def _hire(connection: Connection, person: PersonPlan, *, unit_id: UUID, password_hash: str, place: int, at: datetime) -> None:
    until = legal_date(at) + timedelta(days=20) if place % 97 == 30 else UNTIL
    person_id = create_person(
        connection,
        name=person.name,
        pinyin=pinyin_key(person.name, person=True),
        at=at,
        certificate_number=person.certificate,
        certificate_until=until if person.certificate else None,
    )
    give_post(connection, person_id=person_id, unit_id=unit_id, code=person.post, title=person.title, valid_from=SINCE, main=True)
    create_account(
        connection, person_id=person_id, login=person.login, password_hash=password_hash, at=at, rights=person.rights, must_change=False
    )


def _given(party: dict[str, str]) -> PartyInput:
    return PartyInput(
        kind=party["kind"],
        name=party["name"],
        identifier_kind=party["identifier_kind"],
        identifier=party["identifier"],
        phone=party["phone"],
        address=party["address"],
        detail={"kind": party["kind"], **{k: v for k, v in party.items() if k in ("sex", "representative")}},
    )
