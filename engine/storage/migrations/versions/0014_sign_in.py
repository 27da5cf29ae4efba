"""Ways to sign in."""
from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.storage.tables import metadata

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TABLES = (
    "sign_in_policy", "sign_in_count", "sign_in_stranger", "password_history", "second_factor", "recovery_code", "sign_in_certificate", "sign_in_step",
)
COLUMNS = (
    "ALTER TABLE account ADD COLUMN IF NOT EXISTS locks integer NOT NULL DEFAULT 0",
    "ALTER TABLE account ADD COLUMN IF NOT EXISTS password_at timestamptz",
    "ALTER TABLE session ADD COLUMN IF NOT EXISTS network text NOT NULL DEFAULT ''",
    "ALTER TABLE session ADD COLUMN IF NOT EXISTS way text NOT NULL DEFAULT 'password'",
    "ALTER TABLE session ADD COLUMN IF NOT EXISTS needs text NOT NULL DEFAULT ''",
    "ALTER TABLE session ADD COLUMN IF NOT EXISTS confirmed_at timestamptz",
    "ALTER TABLE session ADD COLUMN IF NOT EXISTS idle_minutes integer NOT NULL DEFAULT 120",
    "ALTER TABLE session ADD COLUMN IF NOT EXISTS longest_minutes integer NOT NULL DEFAULT 960",
)


def upgrade() -> None:
    """A database made by today's 0001 has tables and columns already."""
    connection = op.get_bind()
    metadata.create_all(connection, tables=[metadata.tables[name] for name in TABLES], checkfirst=True)
    for statement in COLUMNS:
        connection.execute(sa.text(statement))
