"""Starts by a signal or a record that failed for good wait for an operator; an act rewrites no index of its instance."""
from __future__ import annotations

from alembic import op

from engine.storage.tables import metadata

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None
INDEXES = (
    # By a key that never changes: with updated_at in an index, even a partial one, every act would write all indexes of the instance anew.
    "DROP INDEX IF EXISTS ix_instance_suspended",
    "CREATE INDEX ix_instance_suspended ON instance (id) WHERE status = 'suspended'",
)


def upgrade() -> None:
    """A database made by today's 0001 has it already."""
    for statement in INDEXES:
        op.execute(statement)
    metadata.create_all(op.get_bind(), tables=[metadata.tables["start_failure"]], checkfirst=True)
