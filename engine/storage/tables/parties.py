"""People outside the offices: accounts of parties, what binds them to a party, their sessions, and what was sent to them."""
from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, Table, Text

from engine.storage.tables.base import instant, key, metadata, ref

party_account = Table(
    "party_account", metadata, key(), ref("person_id", "person.id", unique=True, comment="a person without posts: acts, answers and files are theirs"),
    Column("identifier_kind", Text, nullable=False), Column("identifier", LargeBinary, nullable=False, comment="SM4-GCM"),
    Column("identifier_index", LargeBinary, nullable=False, unique=True, comment="HMAC-SM3; what one signs in with"), Column("phone", LargeBinary, nullable=False, comment="SM4-GCM"),
    Column("password_hash", Text, nullable=False), Column("failures", Integer, nullable=False, server_default="0"), instant("locked_until", null=True),
    Column("checked_by", Text, nullable=False, comment="real-name check: which system"), Column("check_number", Text, nullable=False, comment="its receipt"), instant("checked_at"),
    Column("active", Boolean, nullable=False, server_default="true"), instant("created_at"), instant("updated_at"),
)

party_binding = Table(
    "party_binding", metadata, ref("account_id", "party_account.id", primary_key=True), ref("party_id", "party.id", primary_key=True),
    Column("how", Text, nullable=False, comment="identity (own number), code (on the paper)"), instant("at"), instant("ended_at", null=True), Index("ix_party_binding_party_id", "party_id"),
)

party_session = Table(
    "party_session", metadata, Column("token_hash", LargeBinary, primary_key=True), ref("account_id", "party_account.id", index=True),
    Column("csrf", Text, nullable=False), instant("created_at"), instant("seen_at"), instant("expires_at"),
    Column("agent", Text, nullable=False, server_default="", comment="the browser that signed in; another one ends the session"),
)

party_code = Table(
    "party_code", metadata, key(), Column("code_index", LargeBinary, nullable=False, unique=True, comment="SM3 of the one-time code on the paper"), ref("party_id", "party.id"),
    ref("case_id", "case_file.id", index=True), instant("made_at"), instant("expires_at"), instant("used_at", null=True), ref("used_by", null=True),
)

party_paper = Table(
    "party_paper", metadata, key(), ref("party_id", "party.id"), ref("document_id", "document.id"), ref("case_id", "case_file.id", index=True), ref("instance_id", null=True),
    instant("sent_at"), instant("read_at", null=True), instant("ended_at", null=True), Column("state", Text, nullable=False, comment="sent, signed, lapsed, served (otherwise)"),
    Index("uq_party_paper_party_document", "party_id", "document_id", unique=True), Index("ix_party_paper_document_id", "document_id"),
)

party_try = Table(
    "party_try", metadata, key(), Column("what", Text, nullable=False, comment="sign_in, sign_up, bind"), Column("network", Text, nullable=False), instant("at"),
    Index("ix_party_try", "what", "network", "at"),
)
