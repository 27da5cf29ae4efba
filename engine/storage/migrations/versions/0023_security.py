"""Certificates, second factors, rules of sign-in and accounts of parties come under the seals of rights."""
from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.storage.access_triggers import statements

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Only triggers; the rows that are there already are sealed by the platform's next hourly look."""
    for statement in statements():
        op.get_bind().execute(sa.text(statement))
