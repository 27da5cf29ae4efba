"""Triggers that note every change of a row that says who may do what, whoever makes it and by whatever way.

The platform seals the noted rows before it commits (``engine.access.integrity``); a note that stays is a change made past it.
"""
from __future__ import annotations

COLUMNS: dict[str, tuple[str, ...]] = {
    "account": ("person_id", "login", "password_hash", "rights", "active", "must_change"),
    "person": ("name", "certificate_number", "certificate_until", "active"),
    "post": ("person_id", "unit_id", "code", "valid_from", "valid_until"),
    "unit": ("parent_id", "bureau", "kind", "code", "path", "district_id", "active"),
    "role_holder": ("role", "post", "unit_kind", "scope", "bureau", "unit_id", "valid_from", "valid_until"),
    "seal_permission": ("seal_id", "person_id", "post", "valid_from", "valid_until"),
    "api_token": ("account_id", "post_id", "token_hash", "expires_at", "revoked_at"),
    "deputy": ("person_id", "deputy_id", "from_on", "until_on", "processes", "ended_at"),
    "own_role": ("name", "active"),
    "role_person": ("role", "person_id", "valid_from", "valid_until"),
    "access_grant": ("role", "kind", "object", "level", "scope", "valid_from", "valid_until"),
}
"""What is sealed of each table; counters and instants of use are not."""

_FUNCTION = """
CREATE OR REPLACE FUNCTION note_access_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO access_change (table_name, row_key, xact)
    VALUES (TG_TABLE_NAME, CASE WHEN TG_OP = 'DELETE' THEN OLD.id ELSE NEW.id END::text, pg_current_xact_id()::text);
  RETURN NULL;
END $$
"""


def _trigger(table: str, columns: tuple[str, ...]) -> str:
    when = f"INSERT OR DELETE OR UPDATE OF id, {', '.join(columns)}"
    return f"CREATE OR REPLACE TRIGGER note_access_change AFTER {when} ON {table} FOR EACH ROW EXECUTE FUNCTION note_access_change()"


def statements(*without: str) -> tuple[str, ...]:
    """The function and one trigger for each table, but for those that an early revision doesn't have yet."""
    return (_FUNCTION, *(_trigger(table, columns) for table, columns in COLUMNS.items() if table not in without))


STATEMENTS = statements()
