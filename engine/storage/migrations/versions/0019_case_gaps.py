"""A timer may be due when its clock's last day begins; entries of dictionaries have versions; messages have rules."""
from __future__ import annotations

from alembic import op

from engine.storage.tables import metadata

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

TABLES = ("dictionary_version", "message_rule", "message_cursor", "message_trace")


def upgrade() -> None:
    """A database made by today's 0001 has it already."""
    op.execute("ALTER TABLE timer ADD COLUMN IF NOT EXISTS on_last_day boolean NOT NULL DEFAULT false")
    metadata.create_all(op.get_bind(), tables=[metadata.tables[name] for name in TABLES], checkfirst=True)
