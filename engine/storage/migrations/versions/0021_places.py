"""Imports that find places by address and name the datum of their coordinates; what is exchanged with other systems."""
from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.storage.tables import metadata

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

TABLES = ("exchange_state", "exchange_item")
STATEMENTS = (
    "ALTER TABLE register_transfer ADD COLUMN IF NOT EXISTS options jsonb NOT NULL DEFAULT '{}'",
    "ALTER TABLE register_transfer ADD COLUMN IF NOT EXISTS doubts jsonb NOT NULL DEFAULT '[]'",
    "ALTER TABLE register_transfer ADD COLUMN IF NOT EXISTS located integer NOT NULL DEFAULT 0",
    "ALTER TABLE register_transfer ADD COLUMN IF NOT EXISTS doubtful integer NOT NULL DEFAULT 0",
)


def upgrade() -> None:
    """A database made by today's 0001 has it already."""
    metadata.create_all(op.get_bind(), tables=[metadata.tables[name] for name in TABLES], checkfirst=True)
    for statement in STATEMENTS:
        op.get_bind().execute(sa.text(statement))
