"""Rows of an import that carry an address and no place: the place is looked up, what is doubtful is left empty and told."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
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
    """Addresses are noted while rows are judged, then located all together; what was found is kept for the writing.

    ``doubts`` are the first ``TOLD`` rows whose address was not found for sure, ``places`` {row: [lon, lat]}.
    """

    locator: Locator | None
    point: Field | None
    address: Field | None
    located: int = 0
    doubtful: int = 0
    doubts: list[dict[str, Any]] = field(default_factory=list)
    places: dict[int, list[float]] = field(default_factory=dict)
    noted: dict[str, list[int]] = field(default_factory=dict)

    def note(self, values: Mapping[str, Any], row: int) -> None:
        """Remember the address of a row that has no place of its own."""
        if self.locator is not None and self.point is not None and self.address is not None and not values.get(self.point.name) and values.get(self.address.name):
            self.noted.setdefault(str(values[self.address.name]).strip(), []).append(row)

    def locate_all(self, tell: Callable[[int], None]) -> None:
        """Look every noted address up, each once, those of one road together; ``tell`` hears of how many rows it is known."""
        assert self.locator is not None or not self.noted
        told, seen = list[dict[str, Any]](), 0
        for address in sorted(self.noted):
            rows, found = self.noted[address], self.locator.locate(address) if self.locator else None
            seen += len(rows)
            tell(seen)
            if found is not None and found.found and not found.doubt:
                self.places.update({row: [found.found[0].lon, found.found[0].lat] for row in rows})
                self.located += len(rows)
            elif found is not None:
                self.doubtful += len(rows)
                told += [{"row": row, "title": found.asked, "text": found.doubt} for row in rows]
                told = sorted(told, key=lambda one: one["row"])[:TOLD] if len(told) > 4 * TOLD else told
        self.noted.clear()
        self.doubts = sorted(told, key=lambda one: one["row"])[:TOLD]

    def fill(self, values: dict[str, Any], row: int) -> None:
        """Put the place that was found for the row into ``values``."""
        if self.point is not None and row in self.places and not values.get(self.point.name):
            lon, lat = self.places[row]
            values[self.point.name] = {"lon": lon, "lat": lat}

    def keep(self, app: Application) -> str | None:
        """Keep what was found for the writing; its SM3, None when nothing was."""
        return app.blobs.put(orjson.dumps([[row, *place] for row, place in self.places.items()])) if self.places else None


def found_places(app: Application, *, register: Register, transfer: RowMapping) -> PlacedRows:
    """What the check of an import found, to fill its rows with."""
    kept = transfer["options"].get("places")
    places = {int(row): [lon, lat] for row, lon, lat in orjson.loads(app.blobs.get(kept))} if kept else {}
    return PlacedRows(locator=None, point=compared(register)[0], address=None, places=places)


def placed_rows(app: Application, connection: Connection, *, register: Register, transfer: RowMapping) -> PlacedRows:
    """What locates the rows of an import whose options ask for it."""
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
