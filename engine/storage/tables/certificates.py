"""Enforcement certificates (行政执法证): who may act as an officer, from when until when."""
from __future__ import annotations

from sqlalchemy import Column, Date, Index, Table, Text

from engine.storage.tables.base import instant, key, metadata, ref

certificate = Table(
    "certificate", metadata, key(), ref("person_id", "person.id"), Column("number", Text, nullable=False, comment="执法证号"),
    Column("kind", Text, nullable=False, server_default="enforcement"), Column("valid_from", Date, nullable=False), Column("valid_until", Date, comment="last day; null: no end is known"),
    Column("suspended_from", Date, comment="from this day on it doesn't count"), Column("reason", Text, nullable=False, server_default=""), instant("updated_at"),
    Index("ix_certificate_person_id_valid_from", "person_id", "valid_from"),
)
