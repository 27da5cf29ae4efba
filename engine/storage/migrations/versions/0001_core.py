"""Extensions, the schema of registers, the job queue and the core tables.

Nothing is released before this revision, so it makes the tables as ``engine.storage.tables`` declares them.
The first revision after a release spells its changes out.
"""
from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from procrastinate.schema import SchemaManager

from engine.storage.tables import metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

NEEDED = ("pg_trgm", "btree_gist")
WELCOME = ("pg_stat_statements",)


def upgrade() -> None:
    connection = op.get_bind()
    for name in NEEDED:
        connection.execute(sa.text(f"CREATE EXTENSION IF NOT EXISTS {name}"))
    for name in WELCOME:
        _create_if_allowed(connection, name)
    connection.execute(sa.text("CREATE SCHEMA IF NOT EXISTS reg"))
    connection.connection.driver_connection.execute(SchemaManager.get_schema())  # type: ignore[union-attr]
    metadata.create_all(connection, checkfirst=False)


def _create_if_allowed(connection: sa.Connection, name: str) -> None:
    available = connection.execute(sa.text("SELECT 1 FROM pg_available_extensions WHERE name = :name"), {"name": name}).first()
    superuser = connection.execute(sa.text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")).scalar_one()
    if available and superuser:
        connection.execute(sa.text(f"CREATE EXTENSION IF NOT EXISTS {name}"))
