"""An index of the running instances, which the finder of stuck cases walks along."""
from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A database made by today's 0001 has it already."""
    op.get_bind().execute(sa.text("CREATE INDEX IF NOT EXISTS ix_instance_running ON instance (id) WHERE status = 'running'"))
