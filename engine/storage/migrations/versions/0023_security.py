"""Nothing yet."""
from __future__ import annotations

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A database made by today's 0001 has it already."""
