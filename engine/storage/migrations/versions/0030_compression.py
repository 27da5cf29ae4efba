"""Attachments made smaller in the background."""
from __future__ import annotations

from alembic import op

from engine.storage.tables import metadata

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A database made by today's 0001 has it already."""
    metadata.create_all(op.get_bind(), tables=[metadata.tables["attachment_compression"]], checkfirst=True)
    op.execute("CREATE INDEX IF NOT EXISTS ix_attachment_sm3 ON attachment (sm3)")
