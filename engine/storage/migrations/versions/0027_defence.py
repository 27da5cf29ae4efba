"""What protection in use still needed."""
from __future__ import annotations

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A database made by today's 0001 has it already."""
