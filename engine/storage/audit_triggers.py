"""The trail only grows: the database itself refuses to change or to take away a record or an anchor.

Whoever owns the database can switch a trigger off; what was done then is found by the chain and the anchors.
"""
from __future__ import annotations

TABLES = ("audit", "audit_anchor")
_FUNCTION = """
CREATE OR REPLACE FUNCTION keep_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '审计记录和锚点只增不改，不能修改、删除或清空' USING ERRCODE = 'insufficient_privilege';
END $$
"""
STATEMENTS = (
    _FUNCTION,
    *(f"CREATE OR REPLACE TRIGGER keep_audit BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION keep_audit()" for table in TABLES),
    *(f"CREATE OR REPLACE TRIGGER keep_audit_all BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION keep_audit()" for table in TABLES),
)
