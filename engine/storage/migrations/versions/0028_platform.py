"""What the platform rows still needed."""
from __future__ import annotations

from alembic import op

from engine.storage.tables.content import content_change

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A database made by today's 0001 has it already."""
    content_change.create(op.get_bind(), checkfirst=True)
