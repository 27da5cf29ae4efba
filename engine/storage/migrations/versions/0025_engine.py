"""What acts on tasks still needed: lists know at which steps nobody's deputy may act."""
from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A database made by today's 0001 has it already. Steps that are open now count as open to deputies; the act itself asks the diagram."""
    op.get_bind().execute(sa.text("ALTER TABLE task ADD COLUMN IF NOT EXISTS deputies boolean NOT NULL DEFAULT true"))
