"""Dashboards as packs declare them: ``processes/<pack>/pages/<name>.yaml``; docs/statistics.md is the grammar."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from engine.kernel.errors import DeployRefused, Invalid
from engine.kernel.names import pack_of, qualify
from engine.packs.yaml import read_yaml
from engine.reporting.statistics.asked import CHARTS, Question, grain_within
from engine.reporting.statistics.count import TIME
from engine.reporting.statistics.declaration import Statistic
from engine.reporting.statistics.periods import GRAINS, period_of

WIDTHS = (3, 4, 6, 8, 12)
SHAPES = {**CHARTS, "table": "表", "number": "数字"}
KEYS, TILE_KEYS = {"title", "roles", "tiles", "screen"}, {"statistic", "title", "measures", "by", "chart", "period", "top", "width", "grain", "tasks", "list", "where"}
MOST_TILES = 12
CELLS = 12
"""The big screen is so many columns and so many rows, and fills the display."""


@dataclass(frozen=True, kw_only=True)
class Tile:
    """A statistic in one ``shape``, the list of ``register`` as ``where`` narrows it, or the reader's own tasks by light (neither). ``period`` is a grain whose current period counts, or all."""

    title: str
    width: int
    statistic: str | None = None
    measures: tuple[str, ...] = ()
    by: str | None = None
    shape: str = "number"
    period: str = "year"
    grain: str | None = None
    top: int | None = None
    register: str | None = None
    where: Mapping[str, Any] | None = None
    at: tuple[int, ...] | None = None
    """Column, row, width, height on the big screen."""

    def question(self, statistic: Statistic, on: date) -> Question:
        """What the tile asks on the day ``on``."""
        period = None if self.period == "all" else period_of(on, self.period)
        return Question(
            statistic=statistic, period=period, by=self.by or next(iter(statistic.dimensions), TIME), grain=self.grain or grain_within(period), measures=self.measures or tuple(statistic.measures), top=self.top,
            chart=self.shape if self.shape in CHARTS else "bar",
        )


@dataclass(frozen=True, kw_only=True)
class Dashboard:
    name: str
    title: str
    roles: tuple[str, ...]
    tiles: Sequence[Tile]
    screen: Sequence[Tile] = ()
    """Tiles of the big screen, each with its place; none = those of the page, one after the other."""


def parse_dashboard(content: bytes, *, name: str, statistic: Callable[[str], Statistic | None]) -> Dashboard:
    """The dashboard in ``content``; ``statistic`` finds one by name. Raises DeployRefused with a finding per fault."""
    raw = read_yaml(content, file=f"pages/{name}.yaml")
    findings: list[str] = []
    if not isinstance(raw, Mapping) or not raw.get("title") or set(raw) - KEYS or not isinstance(raw.get("roles"), list) or not raw["roles"]:
        findings.append("看板要写 title、roles（哪些角色看）和 tiles。")
        raw = raw if isinstance(raw, Mapping) else {}
    tiles = raw.get("tiles") or []
    if not isinstance(tiles, list) or not 1 <= len(tiles) <= MOST_TILES:
        findings.append(f"tiles 写 1 到 {MOST_TILES} 块。")
        tiles = []
    read = [_tile(place, told, pack_of(name), statistic, findings) for place, told in enumerate(tiles, 1)]
    screen = _screen(raw.get("screen"), pack_of(name), statistic, findings)
    if findings:
        raise DeployRefused(f"看板 {name} 有 {len(findings)} 处不合要求：{findings[0]}", findings=[{"element": name, "rule": "page", "message": one} for one in findings])
    return Dashboard(name=name, title=str(raw["title"]), roles=tuple(qualify(str(role), pack_of(name)) for role in raw["roles"]), tiles=read, screen=screen)


def _screen(raw: Any, pack: str, statistic: Callable[[str], Statistic | None], findings: list[str]) -> list[Tile]:
    """The tiles of the big screen, which fill it without lying over each other."""
    if raw is None:
        return []
    if not isinstance(raw, list) or not 1 <= len(raw) <= MOST_TILES:
        findings.append(f"screen 写 1 到 {MOST_TILES} 块，每块写 at。")
        return []
    read, taken = [], set[tuple[int, int]]()
    for place, told in enumerate(raw, 1):
        at = told.get("at") if isinstance(told, Mapping) else None
        if not isinstance(at, list) or len(at) != 4 or not all(isinstance(one, int) and one >= 1 for one in at) or at[0] + at[2] > CELLS + 1 or at[1] + at[3] > CELLS + 1:
            findings.append(f"大屏第 {place} 块的 at 写 [列, 行, 宽, 高]，大屏共 {CELLS} 列 {CELLS} 行。")
            continue
        cells = {(column, row) for column in range(at[0], at[0] + at[2]) for row in range(at[1], at[1] + at[3])}
        if cells & taken:
            findings.append(f"大屏第 {place} 块压在别的块上。")
        taken |= cells
        width = max(one for one in WIDTHS if one <= max(at[2], WIDTHS[0]))
        read.append(replace(_tile(place, {**{key: value for key, value in told.items() if key != "at"}, "width": width}, pack, statistic, findings), at=tuple(at)))
    return read


def _tile(place: int, told: Any, pack: str, statistic: Callable[[str], Statistic | None], findings: list[str]) -> Tile:
    if not isinstance(told, Mapping) or set(told) - TILE_KEYS or len({"statistic", "tasks", "list"} & set(told)) != 1:
        findings.append(f"第 {place} 块要写 statistic（统计）、list（台账）或者 tasks: true（待办）之一，可写 {'、'.join(sorted(TILE_KEYS - {'statistic', 'tasks', 'list'}))}。")
        return Tile(title="", width=6)
    tile = Tile(title=str(told.get("title", "")), width=told.get("width", 6))
    if tile.width not in WIDTHS:
        findings.append(f"第 {place} 块的 width 写 {'、'.join(map(str, WIDTHS))} 之一（一行共 12）。")
    if "tasks" in told:
        return replace(tile, title=tile.title or "我的待办")
    if "list" in told:
        if not tile.title:
            findings.append(f"第 {place} 块：台账要写 title。")
        return replace(tile, register=qualify(str(told["list"]), pack), where=told.get("where"), shape="list")
    named = qualify(str(told["statistic"]), pack)
    found = statistic(named)
    if found is None:
        findings.append(f"第 {place} 块：没有统计 {named}。")
        return tile
    tile = replace(
        tile, title=tile.title or found.title, statistic=named, measures=tuple(told.get("measures") or ()), by=told.get("by"), shape=str(told.get("chart", "table" if told.get("by") else "number")),
        period=str(told.get("period", "year")), grain=told.get("grain"), top=told.get("top"),
    )
    findings.extend(f"第 {place} 块：{fault}" for fault in _faults(tile, found))
    return tile


def _faults(tile: Tile, statistic: Statistic) -> list[str]:
    faults = [f"没有指标 {name}。" for name in tile.measures if name not in statistic.measures]
    try:
        if tile.by not in (None, TIME):
            statistic.dimension(str(tile.by))
    except Invalid:
        faults.append(f"不能按“{tile.by}”分组。")
    if tile.shape not in SHAPES or (tile.by is None and tile.shape != "number"):
        faults.append(f"chart 写 {'、'.join(SHAPES)} 之一；除了 number 都要写 by。")
    if (tile.period != "all" and tile.period not in GRAINS) or (tile.grain is not None and tile.grain not in GRAINS):
        faults.append(f"period 写 {'、'.join(GRAINS)} 或 all，grain 写其中一种时间单位。")
    if tile.top is not None and (not isinstance(tile.top, int) or tile.top < 1):
        faults.append("top 写正整数。")
    return faults
