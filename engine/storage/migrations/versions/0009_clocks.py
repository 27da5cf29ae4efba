"""What clocks do before, at and after their end; counts of live clocks by unit; changes of the calendar; warning models."""
from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.storage.tables import metadata

revision = "0009"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLES = ("clock_done", "clock_count", "clock_delta", "calendar_change", "calendar_shift", "warning_model")
COLUMNS = (
    "ALTER TABLE case_clock ADD COLUMN IF NOT EXISTS start_at timestamptz, ADD COLUMN IF NOT EXISTS due_at timestamptz, ADD COLUMN IF NOT EXISTS next_at timestamptz",
    "ALTER TABLE clock_event ADD COLUMN IF NOT EXISTS on_at timestamptz, ADD COLUMN IF NOT EXISTS until_at timestamptz",
    "ALTER TABLE task ADD COLUMN IF NOT EXISTS clock text, ADD COLUMN IF NOT EXISTS warned text",
    "CREATE INDEX IF NOT EXISTS ix_timer_case_id ON timer (case_id, clock) WHERE clock IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS ix_task_open_due_on ON task (due_on) WHERE status = 'open' AND due_on IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS ix_task_open_opened_at ON task (opened_at) WHERE status = 'open' AND due_on IS NULL AND warned IS NULL",
    "CREATE INDEX IF NOT EXISTS ix_case_clock_unit_id_due_on ON case_clock (unit_id, due_on) WHERE state IN ('running', 'suspended')",
    "CREATE INDEX IF NOT EXISTS ix_case_clock_next_at ON case_clock (next_at) WHERE state = 'running' AND next_at IS NOT NULL",
)
LIVE = "state IN ('running', 'suspended')"
PLACE = "coalesce(unit_id, '00000000-0000-0000-0000-000000000000') AS unit_id, split_part(clock, '/', 1) AS clock, CASE WHEN state = 'running' THEN coalesce(due_on, '9999-12-31') ELSE '9999-12-31' END AS due_on"
COUNTED = """
CREATE OR REPLACE FUNCTION count_clocks_{when}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO clock_delta (unit_id, clock, due_on, n)
  SELECT unit_id, clock, due_on, sum(n) FROM ({parts}) changed GROUP BY unit_id, clock, due_on HAVING sum(n) <> 0;
  RETURN NULL;
END $$
"""
GAIN, LOSS = f"SELECT {PLACE}, 1 AS n FROM fresh WHERE {LIVE}", f"SELECT {PLACE}, -1 AS n FROM stale WHERE {LIVE}"  # noqa: S608 - our own words
TRIGGERS = {
    "insert": (GAIN, "NEW TABLE AS fresh"), "delete": (LOSS, "OLD TABLE AS stale"),
    "update": (f"{GAIN} UNION ALL {LOSS}", "NEW TABLE AS fresh OLD TABLE AS stale"),
}
FILL = f"INSERT INTO clock_count SELECT unit_id, clock, due_on, count(*) FROM (SELECT {PLACE} FROM case_clock WHERE {LIVE}) live GROUP BY 1, 2, 3"  # noqa: S608 - our own words


def upgrade() -> None:
    """A database made by today's 0001 has the tables already; the triggers are made here alone."""
    connection = op.get_bind()
    for statement in COLUMNS:
        connection.execute(sa.text(statement))
    metadata.create_all(connection, tables=[metadata.tables[name] for name in TABLES], checkfirst=True)
    for when, (parts, tables) in TRIGGERS.items():
        connection.exec_driver_sql(COUNTED.format(when=when, parts=parts))
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS count_clocks_{when} ON case_clock")
        connection.exec_driver_sql(
            f"CREATE TRIGGER count_clocks_{when} AFTER {when.upper()} ON case_clock REFERENCING {tables} FOR EACH STATEMENT EXECUTE FUNCTION count_clocks_{when}()"
        )
    connection.exec_driver_sql("DELETE FROM clock_count")
    connection.exec_driver_sql(FILL)
