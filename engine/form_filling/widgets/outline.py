"""An outline on the map: drawn, or typed as one vertex a line; stored as GeoJSON in CGCS2000."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from werkzeug.datastructures import MultiDict

from engine.form_filling.context import FormContext
from engine.form_filling.model import Field
from engine.form_filling.problems import Problems
from engine.form_filling.widgets.base import Widget
from engine.form_filling.widgets.point import DATUM
from engine.kernel.datums import DATUMS
from engine.kernel.errors import Invalid
from engine.reference.places import read_outline, told_outline


class Outline(Widget):
    """The value is a GeoJSON Polygon or MultiPolygon with ``bbox`` and ``area``; what is typed is ``{"text", "datum"}``."""

    block = True
    control = False

    def read_html(self, field: Field, posted: MultiDict[str, str], name: str) -> Any:
        text = (posted.get(f"{name}.text") or "").strip()
        datum = posted.get(f"{name}.datum") or DATUM
        return {"text": text, "datum": datum} if text else None

    def empty(self, value: Any) -> bool:
        return not value

    def clean(self, field: Field, value: Any, context: FormContext) -> Any:
        if not value:
            return None
        try:
            if isinstance(value, Mapping) and set(value) == {"text", "datum"}:
                return read_outline(str(value["text"]), datum=str(value["datum"]))
            return read_outline(value)
        except Invalid as problem:
            raise Problems(problem.message) from None

    def text(self, field: Field, value: Any, context: FormContext) -> str:
        return told_outline(value) if isinstance(value, Mapping) and "coordinates" in value else "范围还没有核对"

    def from_feel(self, field: Field, value: Any) -> Any:
        return dict(value) if isinstance(value, Mapping) else None

    def searched(self, field: Field, value: Any, context: FormContext) -> str:
        return ""

    def view(self, field: Field, value: Any, context: FormContext, siblings: Mapping[str, Any]) -> dict[str, Any]:
        held = value if isinstance(value, Mapping) else {}
        return {"lines": held["text"] if "text" in held else written(held), "datum": held.get("datum", DATUM), "datums": DATUMS, "shown": orjson.dumps(held).decode() if "coordinates" in held else ""}


def written(outline: Mapping[str, Any]) -> str:
    """One vertex a line where one ring is all there is, GeoJSON otherwise."""
    if not outline:
        return ""
    if outline["type"] == "Polygon" and len(outline["coordinates"]) == 1:
        return "\n".join(f"{lon},{lat}" for lon, lat in outline["coordinates"][0][:-1])
    return orjson.dumps({"type": outline["type"], "coordinates": outline["coordinates"]}).decode()


widget = Outline()
