"""Opinions asked on a task, deputies, copies of a case; who acted for whom."""
from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.storage.tables import metadata

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

COLUMNS = (
    "ALTER TABLE task ADD COLUMN IF NOT EXISTS urged integer NOT NULL DEFAULT 0, ADD COLUMN IF NOT EXISTS held jsonb, ADD COLUMN IF NOT EXISTS ended_for uuid",
    "ALTER TABLE act ADD COLUMN IF NOT EXISTS on_behalf_of_id uuid, ADD COLUMN IF NOT EXISTS on_behalf_of text NOT NULL DEFAULT ''",
)


def upgrade() -> None:
    """A database made by today's 0001 has them already."""
    connection = op.get_bind()
    for statement in COLUMNS:
        connection.execute(sa.text(statement))
    metadata.create_all(connection, tables=[metadata.tables[name] for name in ("task_signer", "deputy", "case_copy")], checkfirst=True)
