"""Assessment, targets of statistics, reports approved by a process."""
from __future__ import annotations

from alembic import op

from engine.storage.tables import metadata

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

TABLES = ("assessment_sheet", "statistic_target")


def upgrade() -> None:
    """A database made by today's 0001 has it already."""
    metadata.create_all(op.get_bind(), tables=[metadata.tables[name] for name in TABLES], checkfirst=True)
    op.execute("ALTER TABLE report_issue ADD COLUMN IF NOT EXISTS case_id uuid")
    op.execute("CREATE INDEX IF NOT EXISTS ix_report_issue_case_id ON report_issue (case_id)")
