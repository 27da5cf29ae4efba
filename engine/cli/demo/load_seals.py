"""Seals of the bureaus and signatures of everybody who signs, drawn and marked 演示; existing ones are kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from engine.cli.demo.load_city import SINCE, UNTIL
from engine.documents.seals import create_personal_seal, create_unit_seal, grant_seal, set_seal_policy
from engine.runtime.application import Application
from engine.storage.tables.documents import seal
from engine.storage.tables.organisation import person, post, unit

NEVER_SIGN = ("admin", "auditor", "security", "analyst", "operator", "archivist", "clerk")
UNIT_SEALS = ("unit_enforcement", "unit_official")
BATCH, THREADS = 12, 2
Make = Callable[[Connection], Any]


def load_seals(app: Application, *, at: datetime, below: str = "") -> int:
    """How many seals were made, for units whose path begins with ``below``. Drawing takes most of the time and runs in two threads."""
    with app.db.connect() as connection:
        wanted = [partial(_unit_seals, app, id=id, at=at) for id in _bureaus_without(connection, below)]
        wanted += [partial(_signature, app, id=id, office=office, at=at) for id, office in _people_without(connection, below)]
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(partial(_make, app), [wanted[start : start + BATCH] for start in range(0, len(wanted), BATCH)]))
    return len(wanted)


def _make(app: Application, batch: Sequence[Make]) -> None:
    with app.db.begin() as connection:
        for make in batch:
            make(connection)


def _bureaus_without(connection: Connection, below: str) -> list[UUID]:
    sealed = select(seal.c.unit_id).where(seal.c.unit_id.is_not(None))
    bureaus = unit.c.kind.in_(("city_bureau", "district_bureau"))
    return list(
        connection.execute(
            select(unit.c.id).where(bureaus, unit.c.path.startswith(below), unit.c.id.not_in(sealed)).order_by(unit.c.path)
        ).scalars()
    )


def _people_without(connection: Connection, below: str) -> list[tuple[UUID, str]]:
    signed = select(seal.c.person_id).where(seal.c.person_id.is_not(None))
    rows = connection.execute(
        select(person.c.id, unit.c.name)
        .select_from(person.join(post, post.c.person_id == person.c.id).join(unit, unit.c.id == post.c.unit_id))
        .where(post.c.main, unit.c.path.startswith(below), post.c.code.not_in(NEVER_SIGN), person.c.id.not_in(signed))
        .order_by(unit.c.path, person.c.id)
    )
    return [(row[0], row[1]) for row in rows]


def _unit_seals(app: Application, connection: Connection, *, id: UUID, at: datetime) -> None:
    """Both seals of a bureau, which its head may use; documents get the 执法专用章 unless they ask for the other."""
    for kind in UNIT_SEALS:
        made = create_unit_seal(app, connection, unit_id=id, kind=kind, valid_from=SINCE, valid_until=UNTIL, at=at, demo=True)
        grant_seal(connection, seal_id=made, valid_from=SINCE, post="bureau_head", source="演示城市")
    set_seal_policy(connection, unit_id=id, template="*", seal_kind=UNIT_SEALS[0], valid_from=SINCE)


def _signature(app: Application, connection: Connection, *, id: UUID, office: str, at: datetime) -> None:
    create_personal_seal(
        app, connection, person_id=id, pin=None, valid_from=SINCE, valid_until=UNTIL, at=at, organisation=office, demo=True
    )
