"""The words that cases are found by stand in a table of their own, kept by the database.

Every act moves ``case_file.updated_at``, which lists are ordered by; a row so changed is entered anew into each index of
its table, and entering a text into the indexes of trigrams and of pairs cost more than all the rest of an act together.
Here they change only when the text does.
"""
from __future__ import annotations

_FUNCTION = """
CREATE OR REPLACE FUNCTION keep_case_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO case_words (case_id, finder) VALUES (NEW.id, NEW.finder) ON CONFLICT (case_id) DO UPDATE SET finder = excluded.finder;
  RETURN NULL;
END $$
"""
STATEMENTS = (
    _FUNCTION,
    "CREATE OR REPLACE TRIGGER new_case_words AFTER INSERT ON case_file FOR EACH ROW EXECUTE FUNCTION keep_case_words()",
    "CREATE OR REPLACE TRIGGER keep_case_words AFTER UPDATE ON case_file FOR EACH ROW WHEN (OLD.finder IS DISTINCT FROM NEW.finder) EXECUTE FUNCTION keep_case_words()",
    "INSERT INTO case_words (case_id, finder) SELECT id, finder FROM case_file ON CONFLICT (case_id) DO NOTHING",
    "CREATE INDEX IF NOT EXISTS ix_case_words_finder ON case_words USING gin (finder gin_trgm_ops)",
    "CREATE INDEX IF NOT EXISTS ix_case_words_pairs ON case_words USING gin (gc_words(finder))",
    "DROP INDEX IF EXISTS ix_case_file_finder",
    "DROP INDEX IF EXISTS ix_case_file_words",
)
