"""Migration of running cases, snapshots."""
from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.storage.tables import metadata

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = ("migration", "migration_item")
INDEXES = (
    "CREATE INDEX IF NOT EXISTS ix_instance_process_live ON instance (process, id) WHERE ended_at IS NULL",
    "CREATE INDEX IF NOT EXISTS ix_instance_suspended ON instance (updated_at) WHERE status = 'suspended'",
    "CREATE INDEX IF NOT EXISTS ix_task_open_since ON task (opened_at) WHERE status = 'open'",
    "CREATE INDEX IF NOT EXISTS ix_effect_live ON effect (updated_at) WHERE status IN ('queued', 'running')",
)


def upgrade() -> None:
    """A database made by today's 0001 has them already."""
    connection = op.get_bind()
    metadata.create_all(connection, tables=[metadata.tables[name] for name in TABLES], checkfirst=True)
    for statement in INDEXES:
        connection.execute(sa.text(statement))
