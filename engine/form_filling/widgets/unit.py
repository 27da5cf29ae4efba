"""A unit of the platform, chosen by name or pinyin initials.

``x-gc.within``: ``agency`` offers those of the bureau that handles the case only, ``bureau`` those of the same line (城管, 市场监管), ``city`` those of its city bureau.
``x-gc.in`` names a fact that holds a unit: only units at and below it. ``x-gc.kinds``: only units of these kinds, offered at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.form_filling.context import FormContext
from engine.form_filling.model import Field
from engine.form_filling.problems import Problems
from engine.form_filling.widgets.person import Person


class Unit(Person):
    endpoint = "units"
    nobody = "没有这个单位，或已撤销。请重新选。"
    foreign = "这个单位不属于本局，请选本局的单位。"
    outsider = "这个单位不在可选的范围内，请从列出的单位里选。"

    def find(self, value: str, context: FormContext) -> str | None:
        return context.unit(value)

    def check(self, field: Field, id: str, context: FormContext) -> None:
        gc = field.gc
        if gc.get("within") == "agency" and not context.agency(id):
            raise Problems(self.foreign)
        narrowed = gc.get("within") in ("bureau", "city") or gc.get("in")
        if narrowed and not context.unit_fits(id, gc.get("within", ""), context.place(gc), gc.get("kinds", ())):
            raise Problems(self.outsider)

    def narrowed(self, field: Field, context: FormContext) -> dict[str, str]:
        gc, place = field.gc, context.place(field.gc)
        asked = {"within": gc["within"]} if gc.get("within") in ("agency", "bureau", "city") else {}
        if place:
            asked["in"] = place
        if gc.get("kinds"):
            asked["kinds"] = ",".join(gc["kinds"])
        return asked

    def view(self, field: Field, value: Any, context: FormContext, siblings: Mapping[str, Any]) -> dict[str, Any]:
        return {**super().view(field, value, context, siblings), "listed": bool(field.gc.get("kinds"))}


widget = Unit()
