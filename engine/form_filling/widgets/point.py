"""A place on the map: longitude, latitude and the datum they are told in; stored in CGCS2000."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from werkzeug.datastructures import MultiDict

from engine.form_filling.context import FormContext
from engine.form_filling.model import Field
from engine.form_filling.problems import Problems
from engine.form_filling.widgets.base import Widget
from engine.kernel.datums import DATUMS
from engine.kernel.errors import Invalid
from engine.reference.places import read_place, told_place

DATUM = "cgcs2000"


class Point(Widget):
    """The value is ``{"lon", "lat"}``; what is typed may carry ``datum``, one of ``engine.kernel.datums.DATUMS``.

    ``x-gc.address`` names the field that holds its address: a button there looks the place up. Without it the first field that looks like one; "" for none.
    """

    control = False

    def read_html(self, field: Field, posted: MultiDict[str, str], name: str) -> Any:
        typed = {part: text for part in ("lon", "lat") if (text := (posted.get(f"{name}.{part}") or "").strip())}
        datum = posted.get(f"{name}.datum") or DATUM
        return {**typed, **({"datum": datum} if datum != DATUM else {})} if typed else None

    def empty(self, value: Any) -> bool:
        return not value

    def clean(self, field: Field, value: Any, context: FormContext) -> Any:
        if not value:
            return None
        try:
            return read_place(value)
        except Invalid as problem:
            raise Problems(problem.message) from None

    def text(self, field: Field, value: Any, context: FormContext) -> str:
        try:
            return told_place(read_place(value))
        except Invalid:
            return "坐标没有填完整"

    def typed(self, field: Field, value: Any) -> Any:
        return {part: Decimal(str(value[part])) for part in ("lon", "lat")}

    def from_feel(self, field: Field, value: Any) -> Any:
        return {part: float(value[part]) for part in ("lon", "lat")} if isinstance(value, Mapping) and {"lon", "lat"} <= set(value) else None

    def view(self, field: Field, value: Any, context: FormContext, siblings: Mapping[str, Any]) -> dict[str, Any]:
        address = str(field.gc.get("address") or "")
        held = value if isinstance(value, Mapping) else {}
        return {"lon": held.get("lon", ""), "lat": held.get("lat", ""), "datum": held.get("datum", DATUM), "datums": DATUMS, "address": address, "locate": context.url("locate") if address else "", "nearest": context.url("nearest")}


widget = Point()
