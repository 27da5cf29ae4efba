"""The organisation by Excel."""
from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.storage.tables import metadata

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE person ADD COLUMN IF NOT EXISTS code text",
    "CREATE UNIQUE INDEX IF NOT EXISTS uq_person_code ON person (code)",
)


def upgrade() -> None:
    """A database made by today's 0001 has it already."""
    metadata.create_all(op.get_bind(), tables=[metadata.tables["organisation_change"]], checkfirst=True)
    for statement in STATEMENTS:
        op.get_bind().execute(sa.text(statement))
