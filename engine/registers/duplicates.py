"""Records that may be one thing: close to each other, and alike by address and name; every score says what it is made of."""
from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Connection, Float, Select, Table, Text, cast, func, null, or_, select

from engine.registers.declaration import Field, Register
from engine.registers.placed import distance_of, place_clause

WITHIN, FARTHEST_WITHIN, LEAST, MOST, LOOKED_AT = 50.0, 2_000.0, 0.5, 20, 200
SHARES: Mapping[str, float] = {"distance": 0.4, "address": 0.4, "name": 0.2}
_ADDRESS, _NAME = ("address", "location", "site_address"), ("name", "title", "code")
_FILLERS = re.compile(r"上海市|市辖区|[\s,，。、.·()（）\-－—]+")
_DIGITS = str.maketrans("〇零一二三四五六七八九", "00123456789")


@dataclass(frozen=True, kw_only=True)
class Alike:
    """``score`` from 0 to 1; ``metres`` apart, ``address`` and ``name`` similarity from 0 to 1, each None when it could not be compared."""

    id: UUID
    title: str
    score: float
    metres: float | None
    address: float | None
    name: float | None

    @property
    def why(self) -> str:
        """The score in words."""
        parts = [
            f"相距 {self.metres:.0f} 米" if self.metres is not None else "", f"地址相似 {self.address:.0%}" if self.address is not None else "",
            f"名称相似 {self.name:.0%}" if self.name is not None else "",
        ]
        return "，".join(filter(None, parts))


def tidy(text: str) -> str:
    """A name or an address as it is compared: half width, without 上海市, blanks and marks, Chinese digits as digits."""
    return _FILLERS.sub("", unicodedata.normalize("NFKC", text).lower()).translate(_DIGITS)


def compared(register: Register) -> tuple[Field | None, Field | None, Field | None]:
    """(point, address, name): the fields of a register by which duplicates are found."""
    texts = {name: one for name, one in register.fields.items() if one.type in ("text", "serial") and not one.secret}
    address = next((texts[name] for name in _ADDRESS if name in texts), None) or next((one for one in texts.values() if "地址" in one.title), None)
    name = next((texts[one] for one in _NAME if one in texts and texts[one] is not address and texts[one].type == "text"), None)
    return next((one for one in register.placed if one.type == "point"), None), address, name


def find_alike(
    connection: Connection, *, register: Register, table: Table, seen: Select[Any], values: Mapping[str, Any], within: float = WITHIN, without: UUID | None = None, least: float = LEAST,
) -> list[Alike]:
    """Records among ``seen`` (a select of ids that the reader may see) that may be the one with ``values``, the likeliest first. One statement.

    Looked at: what lies within ``within`` metres, by index, and where there is no point what has an address alike, by index.
    A part that neither record has isn't counted; distance weighs 0.4, address 0.4, name 0.2.
    """
    point, address, name = compared(register)
    place, told, called = (values.get(one.name) if one else None for one in (point, address, name))
    near = None
    if point is not None and place:
        near = place_clause(point, table, "near", (f"{place['lon']!r},{place['lat']!r},{min(within, FARTHEST_WITHIN)}",))
    ways = [near] if near is not None else [table.c[one.name].op("%", is_comparison=True)(str(text)) for one, text in ((address, told), (name, called)) if one and text]
    if not ways:
        return []
    shown = register.listed[0]
    statement = seen.with_only_columns(
        table.c.id, *(table.c[one.name].label(label) if one else null().label(label) for one, label in ((address, "told"), (name, "called"), (shown if shown.type in ("text", "serial") else name, "shown"))),
        (distance_of(point, table, place["lon"], place["lat"]) if point and place else cast(null(), Float())).label("metres"),
    ).where(or_(*ways))
    if without is not None:
        statement = statement.where(table.c.id != without)
    rows = connection.execute(statement.limit(LOOKED_AT)).all()
    pairs = _similar(connection, [(row.told, told) for row in rows] + [(row.called, called) for row in rows])
    found = [
        Alike(id=row.id, title=str(row.shown or row.called or row.told or "未命名"), metres=row.metres, address=pairs[n], name=pairs[len(rows) + n], score=_score(row.metres, pairs[n], pairs[len(rows) + n], within))
        for n, row in enumerate(rows)
    ]
    return sorted((one for one in found if one.score >= least), key=lambda one: -one.score)[:MOST]


def _similar(connection: Connection, pairs: Sequence[tuple[Any, Any]]) -> list[float | None]:
    """pg_trgm's similarity of each pair, tidied; None where one is empty. One statement."""
    tidied = [(tidy(str(a or "")), tidy(str(b or ""))) for a, b in pairs]
    if not any(a and b for a, b in tidied):
        return [None] * len(tidied)
    sides = func.unnest(cast([a for a, _ in tidied], ARRAY(Text)), cast([b for _, b in tidied], ARRAY(Text))).table_valued("a", "b", with_ordinality="place").render_derived()
    rows = connection.execute(select(func.similarity(sides.c.a, sides.c.b)).order_by(sides.c.place)).scalars()
    return [float(value) if a and b else None for value, (a, b) in zip(rows, tidied, strict=True)]


def _score(metres: float | None, address: float | None, name: float | None, within: float) -> float:
    parts = {"distance": max(0.0, 1 - metres / (2 * within)) if metres is not None else None, "address": address, "name": name}
    weight = sum(SHARES[key] for key, value in parts.items() if value is not None)
    return sum(SHARES[key] * value for key, value in parts.items() if value is not None) / weight if weight else 0.0
