"""Versions of what packs say: definitions, bundles, and which version is in force."""
from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, UniqueConstraint

from engine.storage.tables.base import instant, json, key, metadata, ref

definition = Table(
    "definition", metadata, key(), Column("kind", Text, nullable=False, comment="process, form, decision, document, register, manifest"),
    Column("name", Text, nullable=False, comment="<pack>.<name>"), Column("version", Integer, nullable=False), Column("title", Text, nullable=False, server_default=""),
    Column("content", LargeBinary, nullable=False, comment="the file as it came"), Column("compiled", LargeBinary, comment="normalised BPMN XML; null elsewhere"),
    Column("hash", Text, nullable=False, comment="SM3 of kind, name and content"), json("meta", server_default="{}", comment="processes: nodes, legal return targets, roles, forms, findings"),
    Column("source", Text, nullable=False, comment="folder or page"), ref("created_by", null=True), instant("created_at"), Column("note", Text, nullable=False, server_default=""),
    UniqueConstraint("kind", "name", "version"), UniqueConstraint("kind", "name", "hash"),
)

definition_current = Table(
    "definition_current", metadata, Column("kind", Text, primary_key=True), Column("name", Text, primary_key=True),
    ref("definition_id", "definition.id"), Column("folder_hash", Text, nullable=False, server_default="", comment="what the folder held when last looked at"),
    Column("pending_definition_id", ForeignKey("definition.id"), nullable=True, comment="待合并: a changed folder beside a page edit"),
)

content_change = Table(
    "content_change", metadata, key(), Column("kind", Text, nullable=False), Column("name", Text, nullable=False),
    ref("definition_id", "definition.id"), Column("from_version", Integer, comment="what was in force before; null for the first"),
    Column("what", Text, nullable=False, comment="deploy, return or merge"), Column("reason", Text, nullable=False, server_default=""),
    Column("by_name", Text, nullable=False), ref("by_id"), instant("at"), Index("ix_content_change_file", "kind", "name", "at"),
    comment="修改记录: who put which version into force instead of which, and why",
)

content_pointer = Table(
    "content_pointer", metadata, Column("id", Integer, primary_key=True, comment="always 1"), Column("generation", BigInteger, nullable=False, comment="raised by every deploy; processes reload when it moves"),
)

bundle = Table(
    "bundle", metadata, key(), Column("root", Text, nullable=False, comment="process the case started with"), Column("hash", Text, nullable=False, unique=True),
    json("members", comment='{"process:approval.chain": definition id, …}'), instant("created_at"), Index("ix_bundle_root", "root"),
)
