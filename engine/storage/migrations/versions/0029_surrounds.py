"""What registers, maps and assessments still needed."""
from __future__ import annotations

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A database made by today's 0001 has it already."""
