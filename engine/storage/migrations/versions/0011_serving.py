"""Parties' accounts, service of documents."""
from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.storage.tables import metadata

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

COLUMNS = (
    "ALTER TABLE task ADD COLUMN IF NOT EXISTS party_id uuid REFERENCES party (id)",
    "CREATE INDEX IF NOT EXISTS ix_task_party ON task (party_id) WHERE status = 'open'",
)
TABLES = ("party_account", "party_binding", "party_session", "party_code", "party_paper", "party_try")


def upgrade() -> None:
    """A database made by today's 0001 has it already."""
    connection = op.get_bind()
    for statement in COLUMNS:
        connection.execute(sa.text(statement))
    metadata.create_all(connection, tables=[metadata.tables[name] for name in TABLES], checkfirst=True)
