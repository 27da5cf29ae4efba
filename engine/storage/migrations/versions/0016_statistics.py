"""Statistics and periodic reports."""
from __future__ import annotations

from alembic import op

from engine.storage.tables import metadata

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

TABLES = ("statistic_rule", "report_template", "report_issue", "report_reader")


def upgrade() -> None:
    """A database made by today's 0001 has them already."""
    metadata.create_all(op.get_bind(), tables=[metadata.tables[name] for name in TABLES], checkfirst=True)
