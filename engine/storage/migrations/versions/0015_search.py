"""Files of records, tags, geometry, search keys."""
from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.storage.geometry import METRES
from engine.storage.word_index import WORDS, initials_function

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

COLUMNS = (
    "ALTER TABLE attachment ADD COLUMN IF NOT EXISTS register text",
    "ALTER TABLE attachment ADD COLUMN IF NOT EXISTS record_id uuid",
    "CREATE INDEX IF NOT EXISTS ix_attachment_record_id ON attachment (record_id) WHERE record_id IS NOT NULL",
    METRES, WORDS,
)
SEARCHED = (
    "CREATE INDEX IF NOT EXISTS ix_case_file_words ON case_file USING gin (gc_words(finder))",
    "CREATE INDEX IF NOT EXISTS ix_party_words ON party USING gin (gc_words(name))",
    "CREATE INDEX IF NOT EXISTS ix_party_initials ON party (gc_initials(name) text_pattern_ops)",
    "CREATE INDEX IF NOT EXISTS ix_document_found ON document USING gin ((title || ' ' || coalesce(number, '')) gin_trgm_ops)",
    "CREATE INDEX IF NOT EXISTS ix_document_words ON document USING gin (gc_words(title || ' ' || coalesce(number, '')))",
    "CREATE INDEX IF NOT EXISTS ix_document_updated_at ON document (updated_at DESC)",
)


def upgrade() -> None:
    """A database made by today's 0001 has the columns already."""
    connection = op.get_bind()
    for statement in (*COLUMNS, initials_function(), *SEARCHED):
        connection.execute(sa.text(statement))
