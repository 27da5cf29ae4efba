"""The words of cases in a table of their own, so that an act doesn't enter them anew into their indexes."""
from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.storage.case_words import STATEMENTS
from engine.storage.tables.cases import case_words

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A database made by today's 0001 has the table already."""
    connection = op.get_bind()
    case_words.create(connection, checkfirst=True)
    for statement in STATEMENTS:
        connection.execute(sa.text(statement))
