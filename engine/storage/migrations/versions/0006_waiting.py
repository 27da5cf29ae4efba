"""Start events and fan-out."""
from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.storage.tables import metadata

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

STATEMENTS = (
    "CREATE INDEX IF NOT EXISTS ix_timer_claimed ON timer (case_id) WHERE claimed_at IS NOT NULL",
    # Every committed change of a register that a conditional start looks at is noted, whichever way it was written.
    """CREATE OR REPLACE FUNCTION note_for_conditional_starts() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO start_look (id, register)
      SELECT changed.id, changed.register FROM changed
       WHERE EXISTS (SELECT FROM start_event s WHERE s.status = 'armed' AND s.kind = 'conditional' AND s.name = changed.register);
      RETURN NULL;
    END $$""",
    """CREATE OR REPLACE TRIGGER conditional_starts AFTER INSERT ON record_history
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_for_conditional_starts()""",
)


def upgrade() -> None:
    """A database made by today's 0001 has the tables already."""
    connection = op.get_bind()
    metadata.create_all(connection, tables=[metadata.tables[name] for name in ("start_event", "start_look", "fanout", "fanout_item")], checkfirst=True)
    for statement in STATEMENTS:
        connection.execute(sa.text(statement))
