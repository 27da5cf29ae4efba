"""The board of all clocks by unit, and what falls due in the days ahead: from the counts, not from the clocks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select, text

from engine.access.actors import Actor
from engine.access.scope import scope_root
from engine.deadlines.models import load_models
from engine.deadlines.queries import soon_in_force, soon_until
from engine.deadlines.rules import HOURS, UNITS
from engine.reference import calendars
from engine.storage.tables.organisation import unit
from engine.storage.tables.reference import parameter_value

LIGHTS = ("late", "soon", "ok", "hold")


@dataclass(frozen=True, kw_only=True)
class ClockName:
    """A clock that packs declare: name, title, unit of its amount, and until which due date its light is yellow today."""

    name: str
    title: str
    unit: str
    soon_until: date


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Live clocks by light."""

    late: int = 0
    soon: int = 0
    ok: int = 0
    hold: int = 0

    @property
    def all(self) -> int:
        return self.late + self.soon + self.ok + self.hold

    def __add__(self, other: Counts) -> Counts:
        return Counts(late=self.late + other.late, soon=self.soon + other.soon, ok=self.ok + other.ok, hold=self.hold + other.hold)


@dataclass(frozen=True, kw_only=True)
class Branch:
    """A unit and everything below it."""

    id: UUID
    name: str
    path: str
    counts: Counts
    leads_on: bool


@dataclass(frozen=True, kw_only=True)
class Board:
    """``here`` with its total, its ``own`` clocks, the units right below, and the way down from the reader's root."""

    here: Branch
    own: Counts
    below: Sequence[Branch]
    way: Sequence[Branch]


def board_root(actor: Actor) -> str | None:
    """The path below which the reader sees every case: "" for everything, None for nobody's but their own."""
    return "" if actor.sees_everything else scope_root(actor)


def clock_names(connection: Connection, *, on: date) -> list[ClockName]:
    """Every declared clock, by title."""
    p, models, calendar = parameter_value.c, load_models(connection), calendars.load(connection)
    rows = connection.execute(
        select(p.parameter, p.unit, p.detail["title"].astext.label("title"), p.detail["soon"].astext.label("soon"))
        .where(p.unit.in_([*UNITS, *HOURS])).distinct(p.parameter).order_by(p.parameter, p.valid_from.desc())
    ).all()
    found = [
        ClockName(name=row.parameter, title=row.title or row.parameter, unit=row.unit,
                  soon_until=soon_until(soon_in_force(row.soon, clock=row.parameter, models=models, on=on), unit=row.unit, on=on, calendar=calendar))
        for row in rows
    ]
    return sorted(found, key=lambda one: (one.title, one.name))


_COUNTS = text("""
    SELECT c.unit_id, coalesce(sum(c.n) FILTER (WHERE c.due_on < :today), 0) AS late,
      coalesce(sum(c.n) FILTER (WHERE c.due_on >= :today AND c.due_on <= coalesce(s.until, :soon)), 0) AS soon,
      coalesce(sum(c.n) FILTER (WHERE c.due_on > coalesce(s.until, :soon) AND c.due_on >= :today AND c.due_on < '9999-12-31'), 0) AS ok,
      coalesce(sum(c.n) FILTER (WHERE c.due_on = '9999-12-31'), 0) AS hold
    FROM (SELECT unit_id, clock, due_on, n FROM clock_count UNION ALL SELECT unit_id, clock, due_on, n FROM clock_delta) c
    LEFT JOIN unnest(CAST(:names AS text[]), CAST(:untils AS date[])) AS s(clock, until) ON s.clock = c.clock
    WHERE (CAST(:clock AS text) IS NULL OR c.clock = :clock) AND (CAST(:units AS uuid[]) IS NULL OR c.unit_id = ANY(CAST(:units AS uuid[])))
    GROUP BY c.unit_id
""")


def counts_by_unit(connection: Connection, *, names: Iterable[ClockName], on: date, clock: str | None = None, units: Sequence[UUID] | None = None) -> dict[UUID, Counts]:
    """{unit: live clocks by light} of ``units`` or of all. One statement over the counts."""
    listed = list(names)
    values = {"today": on, "soon": on + timedelta(days=1), "names": [n.name for n in listed], "untils": [n.soon_until for n in listed], "clock": clock, "units": units}
    return {row.unit_id: Counts(late=row.late, soon=row.soon, ok=row.ok, hold=row.hold) for row in connection.execute(_COUNTS, values)}


def board(connection: Connection, *, root: str, at: str | None, on: date, clock: str | None = None, sort: str = "late") -> Board | None:
    """The board at the unit with path ``at`` (default: the reader's ``root``); None when there is no such unit below the root.

    Units are in the order of ``sort`` (a light, all, or name). Three statements.
    """
    units = _units(connection, root)
    path = at or root or (min((u["path"] for u in units), key=len) if units else "")
    if not path.startswith(root) or all(u["path"] != path for u in units):
        return None
    inside = [u for u in units if u["path"].startswith(path)]
    counts = counts_by_unit(connection, names=clock_names(connection, on=on), on=on, clock=clock, units=[u["id"] for u in inside])
    below: dict[str, Branch] = {}
    own, total = Counts(), Counts()
    for one in sorted(inside, key=lambda u: u["path"]):
        mine = counts.get(one["id"], Counts())
        total += mine
        if one["path"] == path:
            own = mine
            here = Branch(id=one["id"], name=one["short_name"], path=path, counts=Counts(), leads_on=True)
            continue
        child = path + one["path"][len(path):].split("/", 1)[0] + "/"
        known = below.get(child)
        if known is None:
            below[child] = Branch(id=one["id"], name=one["short_name"], path=child, counts=mine, leads_on=False)
        else:
            below[child] = replace(known, counts=known.counts + mine, leads_on=True)
    way = [Branch(id=u["id"], name=u["short_name"], path=u["path"], counts=Counts(), leads_on=True) for u in units if path.startswith(u["path"]) and u["path"] != path]
    return Board(here=replace(here, counts=total), own=own, below=_sorted(below.values(), sort), way=sorted(way, key=lambda b: len(b.path)))


def _sorted(branches: Iterable[Branch], sort: str) -> list[Branch]:
    if sort == "name":
        return sorted(branches, key=lambda b: b.path)
    return sorted(branches, key=lambda b: (-int(getattr(b.counts, sort)), b.path))


def _units(connection: Connection, root: str) -> list[Mapping[Any, Any]]:
    u = unit.c
    statement = select(u.id, u.short_name, u.path).where(u.active).order_by(u.path)
    if root:
        statement = statement.where(func.starts_with(u.path, root))
    return [*connection.execute(statement).mappings()]


_AHEAD = text("""
    SELECT c.unit_id, c.due_on, sum(c.n) AS n FROM (SELECT unit_id, clock, due_on, n FROM clock_count UNION ALL SELECT unit_id, clock, due_on, n FROM clock_delta) c
    WHERE c.due_on >= :first AND c.due_on <= :last AND (CAST(:clock AS text) IS NULL OR c.clock = :clock) AND c.unit_id = ANY(CAST(:units AS uuid[]))
    GROUP BY c.unit_id, c.due_on HAVING sum(c.n) <> 0
""")


@dataclass(frozen=True, kw_only=True)
class Ahead:
    """What falls due from ``first`` on: ``days`` in order, for each the total; for each unit (right below ``path``) the count of each day."""

    days: Sequence[date]
    totals: Sequence[int]
    rows: Sequence[tuple[Branch, Sequence[int]]]


def forecast(connection: Connection, *, root: str, at: str | None, on: date, days: int, clock: str | None = None) -> Ahead | None:
    """Clocks that end in the next ``days`` days, today included, by unit and day. Two statements."""
    units = _units(connection, root)
    path = at or root or (min((u["path"] for u in units), key=len) if units else "")
    if not path.startswith(root) or all(u["path"] != path for u in units):
        return None
    span = [on + timedelta(days=n) for n in range(days)]
    place = {day: index for index, day in enumerate(span)}
    inside = {u["id"]: u for u in units if u["path"].startswith(path)}
    table: dict[str, tuple[Branch, list[int]]] = {}
    for row in connection.execute(_AHEAD, {"first": on, "last": span[-1], "clock": clock, "units": list(inside)}):
        one = inside[row.unit_id]
        rest = one["path"][len(path):]
        child = path + (rest.split("/", 1)[0] + "/" if rest else "")
        name = next((u["short_name"] for u in inside.values() if u["path"] == child), one["short_name"])
        _, counts = table.setdefault(child, (Branch(id=one["id"], name=name if rest else f"{name}（本级）", path=child, counts=Counts(), leads_on=bool(rest)), [0] * days))
        counts[place[row.due_on]] += row.n
    rows = sorted(table.values(), key=lambda one: (-sum(one[1]), one[0].path))
    return Ahead(days=span, totals=[sum(counts[i] for _, counts in rows) for i in range(days)], rows=rows)
