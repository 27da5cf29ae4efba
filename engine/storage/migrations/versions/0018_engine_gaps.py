"""Starts by a signal or a record that failed for good wait for an operator."""
from __future__ import annotations

from alembic import op

from engine.storage.tables import metadata

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A database made by today's 0001 has it already."""
    metadata.create_all(op.get_bind(), tables=[metadata.tables["start_failure"]], checkfirst=True)
