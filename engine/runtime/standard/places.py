"""Addresses to places and back, as steps of a procedure."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.kernel.errors import BusinessError, Invalid
from engine.reference.places import read_place
from engine.runtime.handlers import service_task
from engine.runtime.locate_address import district_of, locate, nearest
from engine.runtime.task_context import TaskContext


@service_task(title="按地址定位", mode="queued", pure=True)
def locate_address(context: TaskContext, *, address: str, place: Any = None, datum: str = "cgcs2000") -> dict[str, Any]:
    """Where ``address`` lies; a ``place`` that is given already (``{"lon", "lat"}`` or "经度,纬度", told in ``datum``) is taken instead.

    Results: ``place`` (``{"lon", "lat"}`` in CGCS2000, null when nothing was found), ``sure`` (true when it may be taken without looking),
    ``told`` (what was found, in words) and ``found`` (a list of ``{title, lon, lat, confidence}``). Business error: ``bad_place``.
    """
    if place:
        try:
            given = read_place(dict(place) if isinstance(place, Mapping) else place, datum=datum)
        except Invalid as problem:
            raise BusinessError("bad_place", problem.message) from None
        return {"place": given, "sure": True, "told": "来件带着坐标", "found": []}
    located = locate(context.app, context.connection, address=address, district=district_of(context.connection, context.case["district_id"]))
    first = located.found[0] if located.found else None
    return {
        "place": {"lon": first.lon, "lat": first.lat} if first else None, "sure": first is not None and not located.doubt,
        "told": located.doubt or (first.told if first else ""),
        "found": [{"title": one.title, "lon": one.lon, "lat": one.lat, "confidence": one.confidence} for one in located.found],
    }


@service_task(title="按位置查地址", mode="queued", pure=True)
def nearest_address(context: TaskContext, *, place: Any, datum: str = "cgcs2000") -> dict[str, Any]:
    """The address closest to ``place``. Results: ``address`` (empty when nothing lies within 300 m) and ``metres``. Business error: ``bad_place``."""
    try:
        given = read_place(dict(place) if isinstance(place, Mapping) else place, datum=datum)
    except Invalid as problem:
        raise BusinessError("bad_place", problem.message) from None
    found, _ = nearest(context.app, context.connection, lon=given["lon"], lat=given["lat"])
    return {"address": found[0].title if found else "", "metres": found[0].metres if found else None}
