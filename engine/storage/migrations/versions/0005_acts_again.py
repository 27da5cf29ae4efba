"""Acts: who gets a step straight back once it has been done again."""
from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A database made by today's 0001 has it already."""
    op.get_bind().execute(sa.text("ALTER TABLE task ADD COLUMN IF NOT EXISTS straight_to text NOT NULL DEFAULT ''"))
