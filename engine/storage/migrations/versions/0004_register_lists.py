"""Saved views of registers, files in and out, and the import that a record came from."""
from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.storage.tables import metadata

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

COLUMNS = (
    "ALTER TABLE record_history ADD COLUMN IF NOT EXISTS import_id uuid",
    "CREATE INDEX IF NOT EXISTS ix_record_history_import_id ON record_history (import_id) WHERE import_id IS NOT NULL",
)


def upgrade() -> None:
    """A database made by today's 0001 has them already."""
    connection = op.get_bind()
    for statement in COLUMNS:
        connection.execute(sa.text(statement))
    metadata.create_all(connection, tables=[metadata.tables[name] for name in ("register_view", "register_transfer")], checkfirst=True)
