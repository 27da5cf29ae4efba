"""Legal documents, their numbers, seals and signatures."""
from __future__ import annotations

from sqlalchemy import Column, Date, Index, Integer, LargeBinary, Table, Text, UniqueConstraint

from engine.storage.tables.base import instant, json, key, metadata, ref

document = Table(
    "document", metadata, key(), ref("case_id", "case_file.id", index=True), ref("instance_id", null=True), ref("act_id", null=True), Column("key", Text, nullable=False, unique=True, comment="instance:node:template, so that a redo replaces"),
    Column("template", Text, nullable=False, comment="<pack>.<document>"), ref("definition_id", "definition.id"), Column("title", Text, nullable=False), json("data", comment="snapshot the PDF was made from"),
    Column("state", Text, nullable=False, comment="draft, issued, served, withdrawn, void"), Column("reason", Text, nullable=False, server_default=""), Column("number", Text), ref("number_id", null=True),
    Column("check_code", Text, nullable=False, unique=True, comment="核验码"), Column("pdf_sm3", Text, comment="latest rendering"), Column("sealed_sm3", Text), Column("rendered_rev", Integer, nullable=False, server_default="0"), Column("rev", Integer, nullable=False, server_default="1"),
    ref("unit_id", null=True), ref("district_id", null=True), ref("created_by", null=True), instant("created_at"), instant("updated_at"), instant("issued_at", null=True), instant("withdrawn_at", null=True),
)

document_version = Table(
    "document_version", metadata, key(), ref("document_id", "document.id"), Column("rev", Integer, nullable=False), Column("title", Text, nullable=False, comment="初稿, 修改稿, 签发稿"), json("change", null=True, comment="correction: block, before, after"),
    Column("pdf_sm3", Text, comment="rendering of this revision, once made"), ref("by_id", null=True), Column("by_name", Text, nullable=False, server_default=""), instant("at"),
    UniqueConstraint("document_id", "rev"),
)

number_counter = Table(
    "number_counter", metadata, ref("unit_id", "unit.id", primary_key=True), Column("year", Integer, primary_key=True), Column("kind", Text, primary_key=True), Column("last", Integer, nullable=False),
)

number_book = Table(
    "number_book", metadata, key(), ref("unit_id", "unit.id"), Column("year", Integer, nullable=False), Column("kind", Text, nullable=False), Column("seq", Integer, nullable=False), Column("text", Text, nullable=False),
    Column("state", Text, nullable=False, comment="used or void (作废)"), Column("reason", Text, nullable=False, server_default=""), ref("case_id", null=True), ref("document_id", null=True), instant("at"),
    UniqueConstraint("unit_id", "year", "kind", "seq"),
)

seal = Table(
    "seal", metadata, key(), Column("kind", Text, nullable=False, comment="unit_official (公章), unit_enforcement (执法专用章), personal (个人签名)"), ref("unit_id", "unit.id", null=True), ref("person_id", "person.id", null=True),
    Column("title", Text, nullable=False), Column("image_sm3", Text, nullable=False), Column("certificate", LargeBinary, nullable=False, comment="X.509 DER"), Column("private_key", LargeBinary, nullable=False, comment="SM4-GCM wrapped"),
    Column("pin_hash", Text, comment="personal seals: argon2 of the 签章密码"), Column("valid_from", Date, nullable=False), Column("valid_until", Date, nullable=False), Column("state", Text, nullable=False, comment="active, revoked"), instant("created_at"),
    Index("ix_seal_unit_id_kind", "unit_id", "kind"), Index("ix_seal_person_id", "person_id"),
)

seal_permission = Table(
    "seal_permission", metadata, key(), ref("seal_id", "seal.id", index=True), ref("person_id", "person.id", null=True), Column("post", Text, comment="holders of this post in the seal's unit"),
    Column("valid_from", Date, nullable=False), Column("valid_until", Date), Column("source", Text, nullable=False, server_default=""),
)

seal_policy = Table(
    "seal_policy", metadata, key(), ref("unit_id", "unit.id"), Column("template", Text, nullable=False, comment="<pack>.<document> or *"), Column("seal_kind", Text, nullable=False), Column("valid_from", Date, nullable=False), Column("valid_until", Date),
    UniqueConstraint("unit_id", "template", "valid_from"),
)

document_signature = Table(
    "document_signature", metadata, key(), ref("document_id", "document.id", index=True), ref("seal_id", "seal.id", null=True), Column("kind", Text, nullable=False, comment="personal or unit"), Column("anchor", Text, nullable=False),
    ref("signer_id", null=True), Column("signer_name", Text, nullable=False), Column("image_sm3", Text), Column("sm3_before", Text, nullable=False, server_default=""), Column("sm3_after", Text, nullable=False, server_default=""), Column("certificate_serial", Text, nullable=False, server_default=""), instant("at"),
    Column("rev", Integer, nullable=False, server_default="1"),
)

verification = Table(
    "verification", metadata, key(), ref("document_id", "document.id", null=True), Column("check_code", Text, nullable=False), Column("result", Text, nullable=False), Column("network", Text, nullable=False, server_default=""), instant("at"),
    Index("ix_verification_document_id_at", "document_id", "at"), Index("ix_verification_network_at", "network", "at"),
)
