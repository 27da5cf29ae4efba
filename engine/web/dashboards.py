"""看板: the tiles that a pack declares for its roles, and the same as a big screen that renews itself."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from engine.access.assignment import roles_held
from engine.kernel.errors import Forbidden, NotFound
from engine.kernel.names import name_of, pack_of
from engine.reference import calendars
from engine.registers.catalogue import get_register
from engine.registers.conditions import read_condition
from engine.registers.filters import Asked
from engine.registers.granted import for_reader
from engine.reporting.dashboards import Dashboard, Tile, parse_dashboard
from engine.reporting.statistics.asked import Question
from engine.reporting.statistics.catalogue import get_statistic, statistics_of
from engine.reporting.statistics.count import TIME
from engine.reporting.statistics.declaration import Statistic
from engine.reporting.statistics.granted import known_to
from engine.runtime.queries import desk
from engine.runtime.queries.registers import count
from engine.runtime.queries.statistic_page import Looked, look_tile
from engine.web.context import actor, application, reading, today
from engine.web.statistic_charts import chart_of, list_of, map_of

blueprint = Blueprint("dashboards", __name__)
RENEW_SECONDS = 60
SEE_ALL_RIGHTS = frozenset({"admin", "analyst"})


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A tile with its figures: of a statistic, of a list (``total``), or the reader's tasks."""

    tile: Tile
    base: str = ""
    behind: str = ""
    question: Question | None = None
    looked: Looked | None = None
    chart: dict[str, Any] | None = None
    tasks: desk.Figures | None = None
    total: int | None = None
    shut: bool = False


def dashboards() -> dict[str, Dashboard]:
    """Every dashboard in force."""
    library = application().library
    statistics = statistics_of(library)
    found: dict[str, Dashboard] = library.derived("dashboards", lambda: {
        name: parse_dashboard(library.current("page", name).content, name=name, statistic=lambda one: statistics[one][0] if one in statistics else None) for name in library.names("page")
    })
    return found


def mine(connection: Connection) -> list[Dashboard]:
    """Dashboards of the roles that the reader holds; who designs and who administers sees all."""
    held = roles_held(connection, posts=actor().posts, on=today())
    everything = bool(SEE_ALL_RIGHTS & actor().rights)
    return [one for one in dashboards().values() if everything or held & set(one.roles)]


@blueprint.get("/dashboards/<pack>/<name>")
def one(pack: str, name: str) -> ResponseReturnValue:
    with reading() as connection:
        found = next((board for board in mine(connection) if board.name == f"{pack}.{name}"), None)
        if found is None:
            raise NotFound("没有这个看板，或者它不是给您的岗位看的。")
        screen = request.args.get("screen") == "1"
        tiles = [_draw(connection, tile) for tile in (found.screen if screen and found.screen else found.tiles)]
    return render_template("dashboards/screen.html" if screen else "dashboards/one.html", board=found, tiles=tiles, pack=pack, name=name, seconds=RENEW_SECONDS)


def _known(statistic: Statistic, tile: Tile) -> Statistic | None:
    """The statistic as the reader may read it; None when the tile needs more of it."""
    try:
        known = known_to(statistic, actor())
    except Forbidden:
        return None
    return None if set(tile.measures) - set(known.measures) or (tile.by is not None and tile.by not in (*known.dimensions, TIME)) else known


def _draw(connection: Connection, tile: Tile) -> Drawn:
    if tile.register is not None:
        return _draw_list(connection, tile, tile.register)
    if tile.statistic is None:
        calendar = calendars.load(connection, district_id=actor().district_id)
        soon = calendar.add_working_days(today(), 3)
        return Drawn(tile=tile, tasks=desk.inbox(connection, actor=actor(), today=today(), soon_until=soon, filters=desk.Filters()).figures)
    declared, table = get_statistic(application().library, tile.statistic)
    statistic = _known(declared, tile)
    if statistic is None:
        return Drawn(tile=tile, shut=True)
    question = tile.question(statistic, today())
    looked = look_tile(connection, question=question, table=table, actor=actor(), grouped=tile.by is not None)
    base = url_for("statistics.one", pack=pack_of(statistic.name), name=name_of(statistic.name))
    chart = map_of(looked, question, base) if tile.shape == "map" else chart_of(looked, question, base) if tile.shape not in ("table", "number") else None
    return Drawn(tile=tile, base=base, behind=list_of(statistic), question=question, looked=looked, chart=chart)


def _draw_list(connection: Connection, tile: Tile, name: str) -> Drawn:
    """How many records the list holds for the reader, and where it stands."""
    declared, table = get_register(application().library, name)
    register = for_reader(declared, actor())
    asked = Asked(on=today(), where=read_condition(tile.where, register) if tile.where else None)
    total = count(connection, actor=actor(), register=register, table=table, asked=asked)
    base = url_for("registers.listed", pack=pack_of(name), name=name_of(name))
    return Drawn(tile=tile, base=base + (f"?{asked.address}" if asked.address else ""), total=total)
