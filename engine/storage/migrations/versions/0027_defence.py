"""What protection in use still needed: a whole file is kept for each view that grants by field leave; the gravest acts wait for a second person."""
from __future__ import annotations

from alembic import op

from engine.storage.tables.base import metadata

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A database made by today's 0001 has it already."""
    op.execute("ALTER TABLE case_export ADD COLUMN IF NOT EXISTS view text NOT NULL DEFAULT ''")
    op.execute("ALTER TABLE case_export DROP CONSTRAINT IF EXISTS pk_case_export")
    op.execute("ALTER TABLE case_export DROP CONSTRAINT IF EXISTS case_export_pkey")
    op.execute("ALTER TABLE case_export ADD CONSTRAINT pk_case_export PRIMARY KEY (case_id, view)")
    op.execute("DELETE FROM case_export")
    metadata.tables["grave_act"].create(op.get_bind(), checkfirst=True)
