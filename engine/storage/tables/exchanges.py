"""What is exchanged with outside systems: how far each exchange is, and every item that came or went."""
from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, Index, Integer, Table, Text

from engine.storage.tables.base import instant, json, key, metadata, ref

exchange_state = Table(
    "exchange_state", metadata, Column("name", Text, primary_key=True, comment="<pack>.<exchange>"), Column("cursor", Text, nullable=False, server_default="", comment="as the system says (in), or the last record given (out)"),
    instant("asked_at", null=True), instant("done_at", null=True), Column("problem", Text, nullable=False, server_default=""), Column("failures", Integer, nullable=False, server_default="0"),
    Column("stopped", Boolean, nullable=False, server_default="false"), Column("stopped_by", Text, nullable=False, server_default=""), Column("reason", Text, nullable=False, server_default=""),
)

exchange_item = Table(
    "exchange_item", metadata, key(), Column("exchange", Text, nullable=False), Column("key", Text, nullable=False, comment="the system's own key (in); record and revision (out)"),
    Column("day", Date, nullable=False, comment="by which both sides count"), Column("state", Text, nullable=False, comment="done, refused, failed"), Column("told", Text, nullable=False, server_default="", comment="the receipt, or why not"),
    json("data", null=True, comment="what came, kept while it is refused"), ref("case_id", null=True), ref("record_id", null=True), instant("at"), Column("tries", Integer, nullable=False, server_default="1"),
    Index("uq_exchange_item_key", "exchange", "key", unique=True), Index("ix_exchange_item_day", "exchange", "day"), Index("ix_exchange_item_at", "exchange", "at", "id"),
    Index("ix_exchange_item_state", "exchange", "state", postgresql_where="state <> 'done'"),
)

exchange_day = Table(
    "exchange_day", metadata, Column("exchange", Text, primary_key=True), Column("day", Date, primary_key=True), Column("done", Integer, nullable=False, comment="items of the day that were taken and have been cleared since"), instant("cleared_at"),
)
