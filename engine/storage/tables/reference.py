"""Dictionaries, dated parameters, calendars, blobs."""
from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Date, Index, Integer, Numeric, Table, Text, UniqueConstraint

from engine.storage.tables.base import instant, json, key, metadata, ref

dictionary_entry = Table(
    "dictionary_entry", metadata, key(), Column("dictionary", Text, nullable=False, comment="<pack>.<name>"),
    Column("code", Text, nullable=False), Column("title", Text, nullable=False), Column("parent_code", Text),
    Column("pinyin", Text, nullable=False, server_default=""), Column("rank", Integer, nullable=False, server_default="0"), json("detail", null=True),
    Column("valid_from", Date), Column("valid_until", Date), Column("active", Boolean, nullable=False, server_default="true"),
    UniqueConstraint("dictionary", "code"),
)

dictionary_version = Table(
    "dictionary_version", metadata, key(), Column("dictionary", Text, nullable=False), Column("code", Text, nullable=False),
    Column("valid_from", Date, nullable=False, comment="cases opened from this day on see it"), Column("title", Text, nullable=False), Column("parent_code", Text),
    json("detail", null=True), Column("source", Text, nullable=False, comment="law or paper it rests on"), ref("by_id", "person.id", null=True), instant("at"),
    UniqueConstraint("dictionary", "code", "valid_from"),
)

parameter_value = Table(
    "parameter_value", metadata, key(), Column("parameter", Text, nullable=False), Column("value", Numeric), Column("text", Text),
    Column("unit", Text, nullable=False, server_default=""), Column("source", Text, nullable=False), Column("valid_from", Date, nullable=False),
    Column("valid_until", Date), ref("unit_id", "unit.id", null=True), Column("origin", Text, nullable=False, server_default="pack"),
    json("detail", null=True, comment="what a legal clock needs besides its amount: first day, rest day, extension"),
    Index("ix_parameter_value_parameter_valid_from", "parameter", "valid_from"),
)

calendar_day = Table(
    "calendar_day", metadata, Column("region", Text, primary_key=True), Column("day", Date, primary_key=True),
    Column("working", Boolean, nullable=False), Column("title", Text, nullable=False, server_default=""), Column("source", Text, nullable=False, server_default=""),
)

blob = Table(
    "blob", metadata, Column("sm3", Text, primary_key=True, comment="hex"), Column("size", BigInteger, nullable=False),
    Column("content_type", Text, nullable=False), instant("created_at"),
)
