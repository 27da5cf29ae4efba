"""Anchors, seals over rows of rights, rounds of new keys, alarms, retention."""
from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.storage.access_triggers import OF_SIGN_IN, statements
from engine.storage.tables import metadata

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TABLES = (
    "audit_anchor", "access_seal", "access_total", "access_change", "key_round", "integrity_alarm", "retention_rule", "destruction", "case_bundle",
)
COLUMNS = (
    "ALTER TABLE act ADD COLUMN IF NOT EXISTS moves bytea",
    "ALTER TABLE case_grant ADD COLUMN IF NOT EXISTS mac bytea",
    "CREATE INDEX IF NOT EXISTS ix_audit_actor_id ON audit (actor_id, at)",
    "CREATE INDEX IF NOT EXISTS ix_audit_trace ON audit (at) WHERE action LIKE 'trace.%'",
    "CREATE INDEX IF NOT EXISTS ix_audit_at ON audit (at)",
)


def upgrade() -> None:
    """A database made by today's 0001 has tables and columns already; the triggers come with this revision in any case."""
    connection = op.get_bind()
    metadata.create_all(connection, tables=[metadata.tables[name] for name in TABLES], checkfirst=True)
    for statement in (*COLUMNS, *statements("own_role", "role_person", "access_grant", *OF_SIGN_IN)):
        connection.execute(sa.text(statement))
