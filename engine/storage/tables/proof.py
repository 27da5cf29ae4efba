"""What proves that nobody changed anything unseen: anchors of the audit chains, seals over rows of rights, rounds of new keys, destruction."""
from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Date, Index, Integer, LargeBinary, Numeric, Table, Text

from engine.storage.tables.base import instant, json, key, metadata, ref

audit_anchor = Table(
    "audit_anchor", metadata, Column("seq", BigInteger, primary_key=True, autoincrement=False, comment="1, 2, 3 …"), instant("at"),
    json("heads", comment='[[chain, seq, hash in hex], …] of every chain, by name'), Column("before", LargeBinary, nullable=False, comment="hash of the anchor before"),
    Column("hash", LargeBinary, nullable=False), Column("certificate", LargeBinary, nullable=False, comment="X.509 DER of the key that signed"), Column("signature", LargeBinary, nullable=False),
)

access_seal = Table(
    "access_seal", metadata, Column("table_name", Text, primary_key=True), Column("row_key", Text, primary_key=True),
    Column("mac", LargeBinary, nullable=False, comment="HMAC-SM3 over table, key and the columns that matter"), instant("at"),
)

access_total = Table(
    "access_total", metadata, Column("table_name", Text, primary_key=True), Column("rows", BigInteger, nullable=False),
    Column("sum", Numeric(80), nullable=False, comment="sum of all MACs modulo 2^256, so that a row taken away with its seal is missed"), Column("mac", LargeBinary, nullable=False),
)

access_change = Table(
    "access_change", metadata, Column("id", BigInteger, primary_key=True), Column("table_name", Text, nullable=False), Column("row_key", Text, nullable=False), Column("xact", Text, nullable=False),
    comment="written by triggers; the platform seals these rows before it commits, so whatever stays here was changed past it",
)

key_round = Table(
    "key_round", metadata, key(), Column("kind", Text, nullable=False, comment="data (SM4) or index (HMAC-SM3)"), Column("version", Integer, nullable=False, comment="the key everything is moved to"),
    Column("state", Text, nullable=False, comment="running, cancelled, done, failed"), Column("place", Text, nullable=False, server_default="", comment="store and key of the last row moved"),
    Column("total", BigInteger, nullable=False, server_default="0"), Column("done", BigInteger, nullable=False, server_default="0"), Column("note", Text, nullable=False, server_default=""),
    ref("started_by", null=True), Column("started_name", Text, nullable=False), instant("started_at"), instant("updated_at"), instant("ended_at", null=True),
    Index("uq_key_round_running", "state", unique=True, postgresql_where="state = 'running'"),
)

integrity_alarm = Table(
    "integrity_alarm", metadata, key(), Column("kind", Text, nullable=False, comment="audit, anchor, access, release"), Column("subject", Text, nullable=False), Column("text", Text, nullable=False),
    Column("level", Text, nullable=False, comment="high, middle, low"), instant("at"), instant("closed_at", null=True), ref("closed_by", null=True), Column("closed_name", Text, nullable=False, server_default=""),
    Column("reason", Text, nullable=False, server_default=""), Index("uq_integrity_alarm_open", "kind", "subject", unique=True, postgresql_where="closed_at IS NULL"),
)

retention_rule = Table(
    "retention_rule", metadata, key(), Column("subject", Text, nullable=False, comment="<pack>.<kind> of cases, * for all, or audit, session"), Column("years", Integer, nullable=False),
    Column("forever", Boolean, nullable=False, server_default="false"), Column("law", Text, nullable=False), Column("valid_from", Date, nullable=False), Column("valid_until", Date),
    Index("ix_retention_rule_subject", "subject", "valid_from"),
)

destruction = Table(
    "destruction", metadata, key(), ref("case_id"), Column("number", Text, nullable=False, server_default=""), Column("title", Text, nullable=False), Column("due_on", Date, nullable=False),
    ref("rule_id", "retention_rule.id"), Column("state", Text, nullable=False, comment="proposed, done, kept"), Column("reason", Text, nullable=False, server_default=""),
    ref("proposed_by"), Column("proposed_name", Text, nullable=False), instant("proposed_at"), ref("decided_by", null=True), Column("decided_name", Text, nullable=False, server_default=""),
    instant("decided_at", null=True), json("removed", server_default="{}", comment="what was destroyed: counts and SM3 of files"),
    Index("uq_destruction_case", "case_id", unique=True, postgresql_where="state <> 'kept'"),
)

grave_act = Table(
    "grave_act", metadata, key(), Column("kind", Text, nullable=False, comment="key_round, rights"), Column("title", Text, nullable=False, comment="what would be done, for people"), json("detail"),
    Column("reason", Text, nullable=False), Column("state", Text, nullable=False, comment="asked, approved, done, refused, withdrawn, failed"), Column("note", Text, nullable=False, server_default=""),
    ref("asked_by", "person.id"), Column("asked_name", Text, nullable=False), ref("account_id", "account.id"), ref("post_id", "post.id"), instant("asked_at"),
    ref("decided_by", null=True), Column("decided_name", Text, nullable=False, server_default=""), instant("decided_at", null=True), Index("ix_grave_act_asked_at", "asked_at"),
)

case_bundle = Table(
    "case_bundle", metadata, key(), ref("case_id", "case_file.id", index=True), ref("person_id", "person.id"), Column("person_name", Text, nullable=False), Column("reason", Text, nullable=False),
    Column("revealed", Boolean, nullable=False, comment="secret answers are opened in it"), Column("sm3", Text, comment="null while the worker makes it"), Column("size", BigInteger, nullable=False, server_default="0"),
    Column("problem", Text, nullable=False, server_default=""), instant("at"), instant("made_at", null=True),
)

audit_view = Table(
    "audit_view", metadata, key(), ref("person_id", "person.id"), Column("title", Text, nullable=False), Column("query", Text, nullable=False, comment="the question of the list's address"),
    instant("at"), Index("uq_audit_view_title", "person_id", "title", unique=True),
)
