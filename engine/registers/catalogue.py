"""Registers in force, parsed once per deploy."""
from __future__ import annotations

from sqlalchemy import Table

from engine.kernel.errors import NotFound
from engine.packs.library import Library
from engine.registers.declaration import Register, parse_register
from engine.registers.tables import table_of


def registers_of(library: Library) -> dict[str, tuple[Register, Table]]:
    """{``<pack>.<register>``: (declaration, table)} of everything in force."""

    def make() -> dict[str, tuple[Register, Table]]:
        found = {}
        for name in library.names("register"):
            register = parse_register(library.current("register", name).content, name=name)
            found[name] = (register, table_of(register))
        return found

    made: dict[str, tuple[Register, Table]] = library.derived("registers", make)
    return made


def get_register(library: Library, name: str) -> tuple[Register, Table]:
    """The register ``name``; raises NotFound."""
    try:
        return registers_of(library)[name]
    except KeyError:
        raise NotFound(f"没有台账 {name}。") from None
