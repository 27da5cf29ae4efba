"""How often an API token is used in a minute."""
from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A database made by today's 0001 has the columns already."""
    op.get_bind().execute(sa.text(
        "ALTER TABLE api_token ADD COLUMN IF NOT EXISTS minute timestamptz, ADD COLUMN IF NOT EXISTS calls integer NOT NULL DEFAULT 0"
    ))
