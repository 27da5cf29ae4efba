"""Areas of the map as groups of a statistic: which units lie in each, so that one figure is counted over all of them."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import ARRAY, Text, Uuid, bindparam, column, func
from sqlalchemy.sql.selectable import TableValuedAlias

MOST_LINKED = 110
"""Units of one area that the address of a list can name."""


@dataclass(frozen=True, kw_only=True)
class Areas:
    """``titles`` by the area's code; ``units`` are the ids of the units of each; ``districts`` the district that each lies in."""

    level: str
    titles: Mapping[str, str]
    units: Mapping[str, Sequence[UUID]]
    districts: Mapping[str, str] = field(default_factory=dict)

    def lookup(self) -> TableValuedAlias:
        """A table of ``unit_id`` and ``area`` to join with."""
        pairs = [(id, code) for code, ids in self.units.items() for id in ids]
        ids = bindparam("area_units", [id for id, _ in pairs], ARRAY(Uuid), unique=True)
        codes = bindparam("area_codes", [code for _, code in pairs], ARRAY(Text), unique=True)
        return func.unnest(ids, codes).table_valued(column("unit_id", Uuid), column("area", Text), name="area_of").render_derived()

    def named(self, code: str) -> tuple[str, ...]:
        """The units of an area as conditions write them; empty when there are too many for an address."""
        held = self.units.get(code, ())
        return tuple(str(id) for id in held) if 0 < len(held) <= MOST_LINKED else ()
