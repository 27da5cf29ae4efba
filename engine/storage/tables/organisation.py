"""Units, people, posts, accounts, sessions, tokens, notices and the audit chain."""
from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Date, Index, Integer, LargeBinary, Table, Text, UniqueConstraint

from engine.storage.tables.base import instant, json, key, metadata, ref

unit = Table(
    "unit", metadata, key(), ref("parent_id", "unit.id", null=True),
    Column("bureau", Text, nullable=False, comment="urban_management (城管执法) or market_regulation (市场监管)"),
    Column("kind", Text, nullable=False, comment="one of engine.access.organisation.UNIT_KINDS"),
    Column("code", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False), Column("short_name", Text, nullable=False),
    Column("number_word", Text, nullable=False, server_default="", comment="机关代字 in document numbers, e.g. 沪市监静"),
    ref("district_id", null=True, index=True, comment="the district bureau above or at this unit; null at city level"),
    Column("path", Text, nullable=False, comment="codes from the root, '/'-separated with a trailing '/'"),
    Column("area_code", Text, nullable=False, server_default="310000"),
    Column("active", Boolean, nullable=False, server_default="true"), instant("updated_at"),
    Index("ix_unit_path", "path", postgresql_ops={"path": "text_pattern_ops"}),
)

person = Table(
    "person", metadata, key(), Column("name", Text, nullable=False), Column("pinyin", Text, nullable=False, server_default=""),
    Column("phone", LargeBinary, comment="SM4-GCM"), Column("certificate_number", Text, comment="执法证号"),
    Column("certificate_until", Date), Column("active", Boolean, nullable=False, server_default="true"), instant("updated_at"),
    Column("code", Text, unique=True, comment="人员编号 (工号) of imports and exports; null: the id stands for it"),
)

post = Table(
    "post", metadata, key(), ref("person_id", "person.id", index=True), ref("unit_id", "unit.id"),
    Column("code", Text, nullable=False, comment="officer, unit_head, section_staff, section_head, bureau_head, …"),
    Column("title", Text, nullable=False), Column("main", Boolean, nullable=False, server_default="false"),
    Column("valid_from", Date, nullable=False), Column("valid_until", Date),
    Index("ix_post_unit_id_code", "unit_id", "code"),
)

role_holder = Table(
    "role_holder", metadata, key(), Column("role", Text, nullable=False, comment="<pack>.<role>"),
    Column("post", Text, nullable=False), Column("unit_kind", Text, nullable=False),
    Column("scope", Text, nullable=False, server_default="own", comment="where units are looked for from the case's unit: own, agency or city"),
    Column("bureau", Text, comment="null: both"), ref("unit_id", "unit.id", null=True, comment="only below this unit"),
    Column("valid_from", Date, nullable=False), Column("valid_until", Date), Column("source", Text, nullable=False, server_default=""),
    Index("ix_role_holder_role", "role"), Index("ix_role_holder_post", "post"),
)

account = Table(
    "account", metadata, key(), ref("person_id", "person.id", unique=True),
    Column("login", Text, nullable=False, unique=True), Column("password_hash", Text, nullable=False),
    Column("must_change", Boolean, nullable=False, server_default="false"),
    Column("failures", Integer, nullable=False, server_default="0"), instant("locked_until", null=True),
    Column("locks", Integer, nullable=False, server_default="0", comment="locks since the last sign-in; each lasts longer"),
    instant("password_at", null=True, comment="when the holder chose the password; null: given"),
    json("rights", server_default="[]", comment="global rights, e.g. admin, analyst"),
    Column("active", Boolean, nullable=False, server_default="true"), instant("updated_at"),
)

session = Table(
    "session", metadata, Column("token_hash", LargeBinary, primary_key=True), ref("account_id", "account.id", index=True),
    ref("post_id", "post.id"), Column("csrf", Text, nullable=False), Column("agent", Text, nullable=False, server_default=""),
    instant("created_at"), instant("seen_at"), instant("expires_at"), Column("network", Text, nullable=False, server_default=""),
    Column("way", Text, nullable=False, server_default="password", comment="password, second, certificate, openid, ldap"),
    Column("needs", Text, nullable=False, server_default="", comment="second: a second factor must be set up first"),
    instant("confirmed_at", null=True, comment="when the holder last proved who they are"),
    Column("idle_minutes", Integer, nullable=False, server_default="120"), Column("longest_minutes", Integer, nullable=False, server_default="960"),
)

api_token = Table(
    "api_token", metadata, key(), ref("account_id", "account.id", index=True), ref("post_id", "post.id"), Column("title", Text, nullable=False),
    Column("token_hash", LargeBinary, nullable=False, unique=True), instant("created_at"), instant("expires_at"), instant("used_at", null=True),
    instant("revoked_at", null=True), instant("minute", null=True), Column("calls", Integer, nullable=False, server_default="0", comment="requests in that minute"),
)

notice = Table(
    "notice", metadata, key(), ref("person_id", "person.id"), Column("kind", Text, nullable=False), Column("text", Text, nullable=False),
    Column("link", Text, nullable=False, server_default=""), ref("case_id", null=True), ref("task_id", null=True), instant("at"), instant("read_at", null=True),
    Index("ix_notice_unread", "person_id", "at", postgresql_where="read_at IS NULL"),
    Index("ix_notice_person_id_at", "person_id", "at"),
)

phrase = Table(
    "phrase", metadata, key(), ref("person_id", "person.id", index=True), Column("text", Text, nullable=False), Column("rank", Integer, nullable=False),
)

audit_head = Table(
    "audit_head", metadata, Column("chain", Text, primary_key=True), Column("seq", BigInteger, nullable=False), Column("hash", LargeBinary, nullable=False),
)

audit = Table(
    "audit", metadata, Column("chain", Text, primary_key=True), Column("seq", BigInteger, primary_key=True), instant("at"),
    ref("actor_id", null=True), Column("actor_name", Text, nullable=False), Column("action", Text, nullable=False),
    Column("object", Text, nullable=False, server_default=""), ref("case_id", null=True), json("detail"), Column("hash", LargeBinary, nullable=False),
    UniqueConstraint("chain", "hash"), Index("ix_audit_case_id", "case_id"),
    Index("ix_audit_actor_id", "actor_id", "at"), Index("ix_audit_at", "at"), Index("ix_audit_trace", "at", postgresql_where="action LIKE 'trace.%%'"),
)
