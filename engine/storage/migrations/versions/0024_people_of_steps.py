"""Who finished each step last stands with the instance."""
from __future__ import annotations

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A database made by today's 0001 has it already. Instances fill theirs in with their next act."""
    op.execute("ALTER TABLE instance ADD COLUMN IF NOT EXISTS people jsonb")
