"""Accounts of the demo city, listed on its login page."""
from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Connection, func, select

from engine.access.party_accounts import own_number
from engine.kernel.gm import KeyRing
from engine.runtime.queries.named import statements
from engine.storage.tables.cases import party
from engine.storage.tables.organisation import person
from engine.storage.tables.parties import party_account, party_binding

SQL = statements(__file__)


def listed(connection: Connection, *, on: date) -> list[dict[str, Any]]:
    """Dicts of login, name, unit, post."""
    return [dict(row) for row in connection.execute(SQL["listed"], {"on": on}).mappings()]


def listed_parties(connection: Connection, *, keys: KeyRing) -> list[dict[str, Any]]:
    """Dicts of login (the number of the document), name, parties acted for: invented people, shown in a demo city only."""
    acted = func.coalesce(func.string_agg(party.c.name, "、"), "").label("parties")
    rows = connection.execute(
        select(party_account.c.id, person.c.name, acted).join(person, person.c.id == party_account.c.person_id)
        .outerjoin(party_binding, party_binding.c.account_id == party_account.c.id).outerjoin(party, party.c.id == party_binding.c.party_id)
        .group_by(party_account.c.id, person.c.name).order_by(party_account.c.created_at).limit(20)
    ).all()
    return [{"login": own_number(connection, keys, account_id=row.id)[1], "name": row.name, "parties": row.parties} for row in rows]
