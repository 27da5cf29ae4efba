"""Addresses to places and back, for pages, procedures and imports: whoever answers in this deployment, with the local gazetteer behind it."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import cast
from uuid import UUID

import structlog
from sqlalchemy import Connection, select

from engine.kernel.errors import BusinessError, TryAgain
from engine.reference.addresses import DISTRICTS, read_address
from engine.reference.locating import Found, Geocoder, doubt
from engine.registers.gazetteer import LocalGazetteer
from engine.runtime.application import Application
from engine.storage.tables.organisation import unit

log = structlog.get_logger(__name__)
LONGEST = 200


@dataclass(frozen=True, kw_only=True)
class Located:
    """``found``, the likeliest first, as ``by`` told it; ``doubt`` in words when the first should not be taken without looking."""

    asked: str
    understood: str
    found: Sequence[Found] = field(default_factory=tuple)
    by: str = ""
    doubt: str = ""


class Locator:
    """Looks many addresses up over one connection; quickest in their order, so that those of one road come together."""

    def __init__(self, app: Application, connection: Connection, *, district: str = "", keep: bool = True) -> None:
        self._app, self._district = app, district
        self._local = LocalGazetteer(connection, app.library, keep=keep)

    def locate(self, address: str) -> Located:
        text = address.strip()[:LONGEST]
        found, by = _ask(self._app, self._local, lambda one: one.locate(text, district=self._district) if text else ())
        return Located(asked=text, understood=read_address(text).told, found=found, by=by, doubt=doubt(found))


def locate(app: Application, connection: Connection, *, address: str, district: str = "") -> Located:
    """Where ``address`` lies; ``district`` is looked in first when it names none."""
    return Locator(app, connection, district=district, keep=False).locate(address)


def nearest(app: Application, connection: Connection, *, lon: float, lat: float) -> tuple[Sequence[Found], str]:
    """(addresses close to a place of CGCS2000, who told them)."""
    return _ask(app, LocalGazetteer(connection, app.library), lambda one: one.nearest(lon, lat))


def _ask(app: Application, local: LocalGazetteer, ask: Callable[[Geocoder], Sequence[Found]]) -> tuple[Sequence[Found], str]:
    if not app.settings.geocoder:
        return ask(local), local.title
    outside = cast(Geocoder, app.connector(app.settings.geocoder))
    try:
        return ask(outside), outside.title
    except (TryAgain, BusinessError) as problem:
        log.warning("geocoder", problem=str(problem))
        return ask(local), f"{local.title}（{outside.title}没有应答）"


def district_of(connection: Connection, district_id: UUID | None) -> str:
    """The district's name when the unit ``district_id`` is a district's bureau; empty at city level."""
    if district_id is None:
        return ""
    name = connection.scalar(select(unit.c.name).where(unit.c.id == district_id)) or ""
    return next((one for one in DISTRICTS if str(name).startswith(one)), "")
