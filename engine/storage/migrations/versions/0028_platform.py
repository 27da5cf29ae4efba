"""What the platform rows still needed."""
from __future__ import annotations

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A database made by today's 0001 has it already."""
