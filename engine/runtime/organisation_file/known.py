"""What there is before the file is read: everything that its rows may mean, in six statements."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Table, select

from engine.storage.tables.certificates import certificate
from engine.storage.tables.organisation import person, post, unit

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Known:
    """Rows by what a file calls them: units by code, people by number and by id, posts by (person, unit, post, first day), certificates by (person, kind, number)."""

    units: dict[str, Row]
    people: dict[str, Row]
    posts: dict[tuple[UUID, UUID, str, Any], Row]
    certificates: dict[tuple[UUID, str, str], Row]

    def posts_of(self) -> dict[UUID, list[Row]]:
        found: dict[UUID, list[Row]] = {}
        for row in self.posts.values():
            found.setdefault(row["person_id"], []).append(row)
        return found

    def certificates_of(self) -> dict[UUID, list[Row]]:
        found: dict[UUID, list[Row]] = {}
        for row in self.certificates.values():
            found.setdefault(row["person_id"], []).append(row)
        return found


def number_of(row: Mapping[str, Any]) -> str:
    """What a person is called by in a file: the own number, else the id."""
    return row["code"] or str(row["id"])


def read_known(connection: Connection) -> Known:
    """The organisation as it stands."""
    people: dict[str, Row] = {}
    for row in _rows(connection, person):
        people[number_of(row)] = row
        people.setdefault(str(row["id"]), row)
    return Known(
        units={row["code"]: row for row in _rows(connection, unit)}, people=people,
        posts={(row["person_id"], row["unit_id"], row["code"], row["valid_from"]): row for row in _rows(connection, post)},
        certificates={(row["person_id"], row["kind"], row["number"]): row for row in _rows(connection, certificate)},
    )


def _rows(connection: Connection, table: Table) -> list[Row]:
    return [dict(row) for row in connection.execute(select(table)).mappings()]
