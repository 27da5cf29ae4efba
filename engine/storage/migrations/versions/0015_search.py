"""Files of records, tags, geometry, search keys."""
from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.storage.geometry import METRES

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

COLUMNS = (
    "ALTER TABLE attachment ADD COLUMN IF NOT EXISTS register text",
    "ALTER TABLE attachment ADD COLUMN IF NOT EXISTS record_id uuid",
    "CREATE INDEX IF NOT EXISTS ix_attachment_record_id ON attachment (record_id) WHERE record_id IS NOT NULL",
    METRES,
)


def upgrade() -> None:
    """A database made by today's 0001 has the columns already."""
    connection = op.get_bind()
    for statement in COLUMNS:
        connection.execute(sa.text(statement))
