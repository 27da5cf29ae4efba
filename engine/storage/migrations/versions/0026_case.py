"""What the ordinary case still needed."""
from __future__ import annotations

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A database made by today's 0001 has it already."""
