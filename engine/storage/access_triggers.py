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
    "certificate": ("person_id", "number", "kind", "valid_from", "valid_until", "suspended_from"),
    "sign_in_policy": ("valid_from", "changes"),
    "sign_in_certificate": ("account_id", "print", "der", "valid_until", "revoked_at"),
    "second_factor": ("secret", "confirmed_at"),
    "recovery_code": ("account_id", "code_hash", "used_at"),
    "party_account": ("person_id", "identifier_index", "password_hash", "active"),
    "party_binding": ("how", "ended_at"),
}
"""What is sealed of each table; counters and instants of use are not."""

KEYS: dict[str, tuple[str, ...]] = {"second_factor": ("account_id",), "party_binding": ("account_id", "party_id")}
"""The columns that name a row, where that is not ``id``; joined by ":" they are its ``row_key``."""

OF_SIGN_IN = ("certificate", "sign_in_policy", "sign_in_certificate", "second_factor", "recovery_code", "party_account", "party_binding")
"""Tables that revision 0023 put under seal."""


def key_of(table: str) -> tuple[str, ...]:
    """The columns whose values name a row."""
    return KEYS.get(table, ("id",))


_FUNCTION = """
CREATE OR REPLACE FUNCTION note_access_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  changed jsonb := CASE WHEN TG_OP = 'DELETE' THEN to_jsonb(OLD) ELSE to_jsonb(NEW) END;
  named text := changed->>'id';
BEGIN
  IF TG_NARGS > 0 THEN
    SELECT string_agg(changed->>(TG_ARGV[i]), ':' ORDER BY i) INTO named FROM generate_series(0, TG_NARGS - 1) AS i;
  END IF;
  INSERT INTO access_change (table_name, row_key, xact) VALUES (TG_TABLE_NAME, named, pg_current_xact_id()::text);
  RETURN NULL;
END $$
"""


def _trigger(table: str, columns: tuple[str, ...]) -> str:
    when = f"INSERT OR DELETE OR UPDATE OF {', '.join((*key_of(table), *columns))}"
    named = ", ".join(f"'{one}'" for one in KEYS.get(table, ()))
    return f"CREATE OR REPLACE TRIGGER note_access_change AFTER {when} ON {table} FOR EACH ROW EXECUTE FUNCTION note_access_change({named})"


def statements(*without: str) -> tuple[str, ...]:
    """The function and one trigger for each table, but for those that an early revision doesn't have yet."""
    return (_FUNCTION, *(_trigger(table, columns) for table, columns in COLUMNS.items() if table not in without))
