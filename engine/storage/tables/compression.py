"""Attachments that are made smaller in the background: how far, and the digests before and after."""
from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table, Text

from engine.storage.tables.base import instant, metadata, ref

attachment_compression = Table(
    "attachment_compression", metadata, ref("attachment_id", primary_key=True), Column("state", Text, nullable=False, comment="waiting, working, done, kept (the original is better), failed (the original stays)"),
    Column("percent", Integer, nullable=False, server_default="0"), Column("before_sm3", Text, nullable=False), Column("before_size", Integer, nullable=False),
    Column("after_sm3", Text), Column("after_size", Integer), Column("words", Text, nullable=False, server_default="", comment="why it was kept or failed, for people"),
    instant("asked_at"), instant("ended_at", null=True), instant("dropped_at", null=True, comment="when the bytes of the original were deleted"),
    Index("ix_attachment_compression_original", "ended_at", postgresql_where="state = 'done' AND dropped_at IS NULL"),
)
