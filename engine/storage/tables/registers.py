"""History of register records. The registers' own tables stand in schema ``reg`` and come from declarations."""
from __future__ import annotations

from sqlalchemy import Column, Index, Table, Text

from engine.storage.tables.base import instant, json, key, metadata, ref

record_history = Table(
    "record_history", metadata, key(), Column("register", Text, nullable=False, comment="<pack>.<register>"), ref("record_id"),
    ref("act_id", null=True), instant("at"), ref("by_id", null=True), Column("by_name", Text, nullable=False), Column("reason", Text, nullable=False, server_default=""),
    json("changes", comment='{"field": [before, after]}; encrypted fields say only that they changed'),
    Index("ix_record_history_record", "register", "record_id", "at"), Index("ix_record_history_act_id", "act_id"),
)
