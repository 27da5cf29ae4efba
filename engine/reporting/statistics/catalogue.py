"""Statistics in force, parsed once per deploy."""
from __future__ import annotations

from sqlalchemy import Table

from engine.kernel.errors import NotFound
from engine.packs.library import Library
from engine.registers.catalogue import get_register
from engine.reporting.statistics.declaration import Statistic, parse_statistic, register_named


def statistics_of(library: Library) -> dict[str, tuple[Statistic, Table]]:
    """{``<pack>.<statistic>``: (declaration, its register's table)} of everything in force."""

    def make() -> dict[str, tuple[Statistic, Table]]:
        found = {}
        for name in library.names("statistic"):
            content = library.current("statistic", name).content
            register, table = get_register(library, register_named(content, name=name))
            found[name] = (parse_statistic(content, name=name, register=register), table)
        return found

    made: dict[str, tuple[Statistic, Table]] = library.derived("statistics", make)
    return made


def get_statistic(library: Library, name: str) -> tuple[Statistic, Table]:
    """The statistic ``name``; raises NotFound."""
    try:
        return statistics_of(library)[name]
    except KeyError:
        raise NotFound(f"没有统计 {name}。") from None
