"""Certificates, second factors, rules of sign-in and accounts of parties come under the seals of rights; the trail can't be changed; kept queries of it."""
from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.storage.access_triggers import statements
from engine.storage.audit_triggers import STATEMENTS
from engine.storage.tables import metadata

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The rows that are there already are sealed by the platform's next hourly look."""
    metadata.create_all(op.get_bind(), tables=[metadata.tables["audit_view"]], checkfirst=True)
    for statement in (*statements(), *STATEMENTS, "ALTER TABLE party_session ADD COLUMN IF NOT EXISTS agent text NOT NULL DEFAULT ''"):
        op.get_bind().execute(sa.text(statement))
