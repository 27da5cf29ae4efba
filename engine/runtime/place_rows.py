"""Rows of an import that carry an address and no place: the place is looked up, what is doubtful is left empty and told."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, RowMapping

from engine.kernel.datums import DATUMS
from engine.kernel.errors import Invalid
from engine.registers.declaration import Field, Register
from engine.registers.duplicates import compared
from engine.runtime.application import Application
from engine.runtime.locate_address import Locator, district_of

TOLD = 200


@dataclass(kw_only=True)
class PlacedRows:
    """Counts while it fills. ``doubts`` are the first ``TOLD`` rows whose address was not found for sure."""

    locator: Locator | None
    point: Field | None
    address: Field | None
    located: int = 0
    doubtful: int = 0
    doubts: list[dict[str, Any]] = field(default_factory=list)

    def fill(self, values: dict[str, Any], row: int) -> None:
        """Put the place of the row's address into ``values``, where it has none of its own."""
        if self.locator is None or self.point is None or self.address is None or values.get(self.point.name) or not values.get(self.address.name):
            return
        told = self.locator.locate(str(values[self.address.name]))
        if told.found and not told.doubt:
            values[self.point.name] = {"lon": told.found[0].lon, "lat": told.found[0].lat}
            self.located += 1
            return
        self.doubtful += 1
        if len(self.doubts) < TOLD:
            self.doubts.append({"row": row, "title": told.asked, "text": told.doubt})


def placed_rows(app: Application, connection: Connection, *, register: Register, transfer: RowMapping) -> PlacedRows:
    """What fills the rows of an import whose options ask for it."""
    point, address, _ = compared(register)
    wanted = bool(transfer["options"].get("locate")) and point is not None and address is not None
    district = district_of(connection, transfer["district_id"]) if wanted else ""
    return PlacedRows(locator=Locator(app, connection, district=district) if wanted else None, point=point, address=address)


def import_options(sent: Mapping[str, Any]) -> dict[str, Any]:
    """``datum`` and ``locate`` as they were sent; raises Invalid for a datum that is none."""
    datum = str(sent.get("datum") or "cgcs2000")
    if datum not in DATUMS:
        raise Invalid("请从列出的坐标系里选。", fields={"datum": "请从列出的坐标系里选。"})
    return {"datum": datum, "locate": bool(sent.get("locate"))}
