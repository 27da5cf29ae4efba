"""What the ordinary case needs: enforcement certificates with dates, and the state that a held case goes back to."""
from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.storage.tables.certificates import certificate

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A database made by today's 0001 has it already. Numbers known so far become certificates."""
    connection = op.get_bind()
    connection.execute(sa.text("ALTER TABLE case_file ADD COLUMN IF NOT EXISTS state_before text"))
    certificate.create(connection, checkfirst=True)
    connection.execute(sa.text("""
        INSERT INTO certificate (id, person_id, number, kind, valid_from, valid_until, reason, updated_at)
        SELECT gen_random_uuid(), p.id, p.certificate_number, 'enforcement', DATE '2000-01-01', p.certificate_until, '', p.updated_at
          FROM person p WHERE p.certificate_number IS NOT NULL AND NOT EXISTS (SELECT 1 FROM certificate c WHERE c.person_id = p.id)"""))
