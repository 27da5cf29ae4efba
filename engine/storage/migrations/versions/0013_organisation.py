"""Organisation and rights."""
from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.storage.access_triggers import OF_SIGN_IN, statements
from engine.storage.tables import metadata

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TABLES = ("unit_name", "organisation_act", "own_role", "role_person", "access_grant")
INDEXES = ("CREATE INDEX IF NOT EXISTS ix_role_holder_post ON role_holder (post)",)


def upgrade() -> None:
    """A database made by today's 0001 has the tables already; the triggers come with this revision in any case."""
    connection = op.get_bind()
    metadata.create_all(connection, tables=[metadata.tables[name] for name in TABLES], checkfirst=True)
    for statement in (*INDEXES, *statements(*OF_SIGN_IN)):
        connection.execute(sa.text(statement))
