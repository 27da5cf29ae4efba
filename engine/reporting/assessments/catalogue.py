"""Assessments in force, parsed once per deploy."""
from __future__ import annotations

from engine.kernel.errors import NotFound
from engine.packs.library import Library
from engine.registers.catalogue import registers_of
from engine.reporting.assessments.declaration import Assessment, parse_assessment
from engine.reporting.statistics.catalogue import statistics_of
from engine.reporting.statistics.declaration import Statistic


def assessments_of(library: Library) -> dict[str, Assessment]:
    """{``<pack>.<assessment>``: declaration} of everything in force."""

    def make() -> dict[str, Assessment]:
        registers = registers_of(library)
        return {
            name: parse_assessment(library.current("assessment", name).content, name=name, statistic=lambda one: find_statistic(library, one), register=lambda one: registers[one][0] if one in registers else None)
            for name in library.names("assessment")
        }

    made: dict[str, Assessment] = library.derived("assessments", make)
    return made


def get_assessment(library: Library, name: str) -> Assessment:
    """The assessment ``name``; raises NotFound."""
    try:
        return assessments_of(library)[name]
    except KeyError:
        raise NotFound(f"没有考核 {name}。") from None


def find_statistic(library: Library, name: str) -> Statistic | None:
    """The statistic ``name`` in force, or None."""
    found = statistics_of(library).get(name)
    return found[0] if found else None
