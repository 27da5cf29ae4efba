"""Outlines of districts and streets; marks of several scorers; days of exchanges that were cleared."""
from __future__ import annotations

from alembic import op

from engine.storage.tables import metadata

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

TABLES = ("boundary", "assessment_mark", "exchange_day")


def upgrade() -> None:
    """A database made by today's 0001 has it already."""
    metadata.create_all(op.get_bind(), tables=[metadata.tables[name] for name in TABLES], checkfirst=True)
