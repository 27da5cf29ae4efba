"""Column shapes that all tables share."""
from __future__ import annotations

from typing import Any

from sqlalchemy import Column, DateTime, ForeignKey, MetaData, Uuid
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def key() -> Column[Any]:
    """The UUIDv7 primary key ``id``."""
    return Column("id", Uuid, primary_key=True)


def ref(name: str, target: str | None = None, *, null: bool = False, **kw: Any) -> Column[Any]:
    """A UUID column, with a foreign key to ``target`` ("table.column") when one is named."""
    args = [ForeignKey(target)] if target else []
    return Column(name, Uuid, *args, nullable=null, **kw)


def instant(name: str, *, null: bool = False, **kw: Any) -> Column[Any]:
    """A timestamptz column; the value is always passed in."""
    return Column(name, DateTime(timezone=True), nullable=null, **kw)


def json(name: str, *, null: bool = False, **kw: Any) -> Column[Any]:
    """A jsonb column for submissions and details, never for engine state."""
    return Column(name, JSONB, nullable=null, **kw)
