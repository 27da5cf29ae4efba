"""The local gazetteer: registers that declare ``gazetteer: true`` are asked for roads, lanes, house numbers, communities.

A number that isn't there is reckoned from its neighbours on the same side; a lane that isn't there from the numbers of its road,
since lanes are numbered with the houses. Communities and places are known by ``community``. A road of that name in several districts gives a candidate in each.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import hypot
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, and_, func, literal_column, or_, select

from engine.kernel.datums import to_metres
from engine.packs.library import Library
from engine.reference.addresses import Address, read_address
from engine.reference.locating import MOST_FOUND, Found
from engine.registers.alike_names import AlikeNames
from engine.registers.catalogue import registers_of
from engine.registers.declaration import Field, Register
from engine.registers.placed import distance_of, place_clause
from engine.registers.tables import order_text

AREAS, HEADS = ("district", "street"), ("road", "community", "place")
NEAR, MOST_HEADS, NEIGHBOURS, MOST_KEPT, MOST_READ, MOST_NAMES, MOST_NUMBERED = 300.0, 24, 40, 60, 20_000, 60_000, 3
SAME_SIDE, FAR_NEIGHBOUR = 2, 60
STATED = {"number": 0.98, "between": 0.85, "lane": 0.9, "community": 0.9, "crossing": 0.85, "place": 0.9, "road": 0.55, "street": 0.35, "district": 0.2}
COLUMNS = ("title", "kind", "district", "street", "road", "lane", "community", "number", "location")


@dataclass(frozen=True, kw_only=True)
class _Head:
    """A road, community or place that the address may name; ``alike`` from 0 to 1, 1 when the name is the same."""

    row: Row[Any]
    alike: float


class LocalGazetteer:
    """Asks the gazetteers of this deployment; three statements at most for each of them.

    With ``keep`` it remembers the last roads it has read, whole, and all names once one is misspelt, for those who ask about many
    addresses: in their order, so that those of one road come together.
    """

    title = "本地地名库"

    def __init__(self, connection: Connection, library: Library, *, keep: bool = False) -> None:
        self._connection, self._keep = connection, keep
        self._known: dict[tuple[str, ...], tuple[list[_Head], list[Row[Any]]]] = {}
        self._names: dict[tuple[str, str], AlikeNames | None] = {}
        self._held = [(register, table) for register, table in registers_of(library).values() if register.gazetteer]

    def locate(self, address: str, *, district: str = "") -> Sequence[Found]:
        asked = read_address(address)
        found = [one for register, table in self._held for one in self._in(register, table, asked, district)]
        return _tidy(found)

    def nearest(self, lon: float, lat: float) -> Sequence[Found]:
        found: list[Found] = []
        for register, table in self._held:
            point = register.fields["location"]
            far = distance_of(point, table, lon, lat)
            near = place_clause(point, table, "near", (f"{lon!r},{lat!r},{NEAR}",))
            query = select(*_columns(table), far.label("metres")).where(_live(table), near, table.c.kind.not_in((*AREAS, "road"))).order_by(far).limit(MOST_FOUND)
            found += [_found(row, str(row.kind), max(0.3, 1 - row.metres / NEAR), metres=round(row.metres, 1)) for row in self._connection.execute(query)]
        return sorted(found, key=lambda one: one.metres or 0)[:MOST_FOUND]

    def _in(self, register: Register, table: Table, asked: Address, district: str) -> list[Found]:
        heads, numbers = self._read(register, table, asked)
        if not heads:
            return self._areas(register, table, asked)
        found: list[Found] = []
        likely = sorted(heads, key=lambda head: -_in_area(head, asked, district) * head.alike) if self._keep else heads
        for place, head in enumerate(likely):
            sure = _in_area(head, asked, district) * head.alike
            if self._keep:
                numbers = self._of_one(register, table, asked, head) if place < MOST_NUMBERED else []
            found += [replace(one, confidence=round(one.confidence * sure, 3), why=_why(one.why, head, asked)) for one in _at_head(head, asked, numbers)]
        if asked.cross:
            found += self._crossings(register, table, asked, heads)
        return found

    def _read(self, register: Register, table: Table, asked: Address) -> tuple[list[_Head], list[Row[Any]]]:
        """The heads that the address may name, and their numbers."""
        key = (register.name, asked.road, asked.community, "" if asked.road or asked.community else asked.rest)
        if not any(key[1:]):
            return [], []
        if key not in self._known:
            if len(self._known) >= MOST_KEPT:
                self._known.clear()
            heads = self._heads(register, table, asked)
            if not self._keep:
                return heads, self._numbers(register, table, asked, heads)
            self._known[key] = heads, []
        return self._known[key]

    def _of_one(self, register: Register, table: Table, asked: Address, head: _Head) -> list[Row[Any]]:
        """The lanes and numbers of one road or community, read whole and remembered."""
        key = ("", register.name, head.row.kind, head.row.road or head.row.community or "", head.row.district)
        if key not in self._known:
            if len(self._known) >= MOST_KEPT:
                self._known.clear()
            self._known[key] = [head], self._numbers(register, table, asked, [head])
        return self._known[key][1]

    def _heads(self, register: Register, table: Table, asked: Address) -> list[_Head]:
        """The roads, communities and places that the address may name, the likeliest first."""
        names = [(name, value) for name, value in (("road", asked.road), ("community", asked.community)) if value]
        if not names and asked.rest:
            names = [("community", asked.rest[:40])]
        columns = select(*_columns(table)).where(_live(table)).order_by(table.c.title).limit(MOST_HEADS)
        rows = self._connection.execute(columns.where(or_(*(_equal(register.fields[name], value) for name, value in names)), table.c.kind.in_(HEADS))).all()
        found = [_Head(row=row, alike=1.0) for row in rows if _names(row, asked)]
        if found:
            return found
        if self._keep and (near := self._alike(register, table, names)) is not None:
            return near
        off = or_(*(and_(_equal(register.fields["kind"], name), or_(*(table.c[name].like(told) for told in one_off(value)))) for name, value in names))
        return [_Head(row=row, alike=1 - 1 / max(len(asked.road or asked.community or asked.rest), 3)) for row in self._connection.execute(columns.where(off))]

    def _alike(self, register: Register, table: Table, names: Sequence[tuple[str, str]]) -> list[_Head] | None:
        """The heads whose name is one character off, out of all names; None when there are too many to hold."""
        found: list[_Head] = []
        for name, value in names:
            key = (register.name, name)
            if key not in self._names:
                query = select(*_columns(table)).where(_live(table), _equal(register.fields["kind"], name), table.c[name].is_not(None)).limit(MOST_NAMES + 1)
                rows = self._connection.execute(query).all()
                self._names[key] = AlikeNames((getattr(row, name), row) for row in rows) if len(rows) <= MOST_NAMES else None
            held = self._names[key]
            if held is None:
                return None
            found += [_Head(row=row, alike=1 - 1 / max(len(value), 3)) for row in held.alike(value)]
        return sorted(found, key=lambda head: head.row.title)[:MOST_HEADS]

    def _numbers(self, register: Register, table: Table, asked: Address, heads: Sequence[_Head]) -> list[Row[Any]]:
        """Lanes and house numbers of the heads around the one that is asked for."""
        wanted = [number for number in (asked.lane, asked.number) if number]
        if not wanted and not self._keep:
            return []
        theirs = [
            and_(_equal(register.fields[name], str(getattr(head.row, name))), table.c.district == head.row.district)
            for head in heads for name in ("road", "community") if head.row.kind == name and getattr(head.row, name)
        ]
        if not theirs:
            return []
        query = select(*_columns(table)).where(_live(table), table.c.kind.in_(("number", "lane")), or_(*theirs))
        if self._keep:
            return list(self._connection.execute(query.limit(MOST_READ)))
        far = func.least(*(func.abs(table.c.number - number) for number in wanted), *(func.abs(table.c.lane - number) for number in wanted[:1]))
        return list(self._connection.execute(query.order_by(far).limit(NEIGHBOURS * len(theirs))))

    def _areas(self, register: Register, table: Table, asked: Address) -> list[Found]:
        """The centre of the street or the district, when the address says no more or nothing else is known."""
        wanted = [and_(_equal(register.fields["kind"], kind), table.c[kind] == value) for kind, value in (("street", asked.street), ("district", asked.district)) if value]
        if not wanted:
            return []
        rows = self._connection.execute(select(*_columns(table)).where(_live(table), or_(*wanted)).limit(MOST_FOUND)).all()
        fitting = [row for row in rows if not asked.district or row.district == asked.district]
        return [_found(row, row.kind, STATED[row.kind]) for row in fitting]

    def _crossings(self, register: Register, table: Table, asked: Address, heads: Sequence[_Head]) -> list[Found]:
        """Where two roads come closest, in each district that has both."""
        columns = select(*_columns(table)).where(_live(table), table.c.location.is_not(None))
        road = register.fields["road"]
        rows = self._connection.execute(columns.where(or_(_equal(road, asked.road), _equal(road, asked.cross))).limit(2_000)).all()
        found = []
        for district in {head.row.district for head in heads}:
            one, other = ([row for row in rows if row.district == district and row.road == name] for name in (asked.road, asked.cross))
            if one and other:
                far, place = _closest(one, other)
                stated = STATED["crossing"] if far <= FAR_NEIGHBOUR else 0.6
                found.append(Found(title=f"{district}{asked.road}{asked.cross}路口", **place, confidence=stated if asked.district in ("", district) else stated * 0.4, precision="crossing", why=f"两路的门牌相距 {far:.0f} 米"))
        return found


def _columns(table: Table) -> list[ColumnElement[Any]]:
    return [table.c[name] for name in COLUMNS]


def _live(table: Table) -> ColumnElement[bool]:
    return table.c.deleted_at.is_(None)


def _equal(field: Field, value: str) -> ColumnElement[bool]:
    """As the field's index holds it."""
    return literal_column(order_text(field)) == value


def one_off(name: str) -> list[str]:
    """LIKE patterns of the names that differ from ``name`` by one character: another one, one more, one less."""
    letters = [mark.replace("\\", "").replace("%", "").replace("_", "") for mark in name]
    other = ["".join((*letters[:n], "_", *letters[n + 1:])) for n in range(len(letters))]
    more = ["".join((*letters[:n], "_", *letters[n:])) for n in range(len(letters) + 1)]
    less = ["".join((*letters[:n], *letters[n + 1:])) for n in range(len(letters))] if len(letters) > 3 else []
    return [*other, *more, *less]


def _names(head: Row[Any], asked: Address) -> bool:
    """A row found for one part must not be of another kind: 长寿路 the road, not a lane's row that has it."""
    return bool(head.kind == "place" or (head.kind == "road" and head.road == asked.road) or (head.kind == "community" and head.community == asked.community))


def _in_area(head: _Head, asked: Address, district: str) -> float:
    """How far the area that the address names, or the asker's own, speaks for a road."""
    if asked.district:
        stated = 1.0 if head.row.district == asked.district else 0.3
    else:
        stated = 1.0 if not district or head.row.district == district else 0.7
    return stated * (0.85 if asked.street and head.row.street and head.row.street != asked.street else 1.0)


def _why(why: str, head: _Head, asked: Address) -> str:
    parts = [why]
    if asked.district and head.row.district != asked.district:
        parts.append(f"地址写的是{asked.district}")
    named = {"road": asked.road, "community": asked.community}.get(head.row.kind, "")
    if named and head.alike < 1:
        parts.append(f"名称和“{named}”相近")
    return "，".join(filter(None, parts))


def _at_head(head: _Head, asked: Address, numbers: Sequence[Row[Any]]) -> Iterable[Found]:
    """What of one road or community fits the address best."""
    own = [row for row in numbers if row.district == head.row.district and (row.road == head.row.road if head.row.kind == "road" else row.community == head.row.community)]
    if head.row.kind == "road" and asked.lane:
        lane = [row for row in own if row.lane == asked.lane]
        exact = next((row for row in lane if row.kind == "number" and row.number == asked.number), None) if asked.number else None
        if exact is not None:
            return [_found(exact, "number", STATED["number"])]
        if lane:
            return [_found(next((row for row in lane if row.kind == "lane"), lane[0]), "lane", STATED["lane"])]
        return _between(head, [row for row in own if row.lane is None], asked.lane, f"{asked.lane}弄", 0.9)
    if asked.number:
        outside = [row for row in own if row.lane is None]
        exact = next((row for row in outside if row.number == asked.number), None)
        if exact is not None:
            return [_found(exact, "number", STATED["number"])]
        return _between(head, outside, asked.number, f"{asked.number}号", 1.0)
    return [_found(head.row, head.row.kind, STATED[head.row.kind] * (0.8 if asked.number or asked.lane else 1.0))]


def _between(head: _Head, rows: Sequence[Row[Any]], number: int, told: str, share: float) -> list[Found]:
    """A number reckoned from the nearest below and above, of the same side where there are any; the head itself without neighbours."""
    numbered = [row for row in rows if row.kind == "number" and row.number is not None]
    side = [row for row in numbered if int(row.number) % SAME_SIDE == number % SAME_SIDE] or numbered
    below = max((row for row in side if row.number < number), key=lambda row: row.number, default=None)
    above = min((row for row in side if row.number > number), key=lambda row: row.number, default=None)
    title = f"{head.row.title}{told}"
    if below is not None and above is not None:
        gap = int(above.number - below.number)
        part = (number - int(below.number)) / gap
        place = {end: round(below.location[end] + (above.location[end] - below.location[end]) * part, 7) for end in ("lon", "lat")}
        sure = STATED["between"] if gap <= FAR_NEIGHBOUR else 0.7
        return [Found(title=title, **place, confidence=sure * share, precision="between", why=f"在 {below.number:.0f} 号和 {above.number:.0f} 号之间")]
    near = below if below is not None else above
    if near is not None and head.row.kind == "road":
        sure = 0.65 if abs(int(near.number) - number) <= FAR_NEIGHBOUR else 0.5
        return [Found(title=title, **near.location, confidence=sure * share, precision="between", why=f"最近的门牌是 {near.number:.0f} 号")]
    stated = 0.75 if head.row.kind == "community" else STATED[head.row.kind] * 0.85
    return [_found(head.row, head.row.kind, stated, why=f"没有 {told}")]


def _found(row: Any, precision: str, confidence: float, *, why: str = "", metres: float | None = None) -> Found:
    return Found(title=row.title, lon=row.location["lon"], lat=row.location["lat"], confidence=round(confidence, 3), precision=precision, why=why, metres=metres)


def _closest(one: Sequence[Row[Any]], other: Sequence[Row[Any]]) -> tuple[float, Mapping[str, float]]:
    """(metres apart, the place midway) of the two nearest points."""
    def metres(row: Row[Any]) -> tuple[float, float]:
        return to_metres(row.location["lon"], row.location["lat"])

    left, right = [(metres(row), row) for row in one], [(metres(row), row) for row in other]
    far, a, b = min(((hypot(x - u, y - v), row, beside) for (x, y), row in left for (u, v), beside in right), key=lambda pair: pair[0])
    return far, {end: round((a.location[end] + b.location[end]) / 2, 7) for end in ("lon", "lat")}


def _tidy(found: Sequence[Found]) -> list[Found]:
    """The likeliest first, each place once."""
    kept: dict[str, Found] = {}
    for one in sorted(found, key=lambda one: -one.confidence):
        kept.setdefault(one.title, one)
    return list(kept.values())[:MOST_FOUND]
