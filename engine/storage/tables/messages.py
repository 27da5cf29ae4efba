"""Rules by which messages are sent when something happens on a case, and how far the events have been looked at."""
from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, Table, Text, Uuid

from engine.storage.tables.base import instant, json, key, metadata, ref

message_rule = Table(
    "message_rule", metadata, key(), Column("title", Text, nullable=False), Column("category", Text, nullable=False, comment="warn or system"),
    Column("event", Text, nullable=False, comment="kind of event, such as act.complete"), Column("case_kind", Text, nullable=False, server_default="", comment="empty: any"),
    Column("condition", Text, nullable=False, server_default="", comment="FEEL; empty: always"), json("receivers", comment="handler, holder, office_head, superior or roles"),
    Column("sender", Text, nullable=False), Column("text", Text, nullable=False), Column("active", Boolean, nullable=False, server_default="true"), ref("by_id"), instant("at"),
)

message_cursor = Table(
    "message_cursor", metadata, Column("id", Integer, primary_key=True, comment="always 1"), Column("last", Uuid, nullable=False, comment="the last event looked at"),
)

message_trace = Table(
    "message_trace", metadata, Column("notice_id", Uuid, primary_key=True), ref("rule_id", "message_rule.id"), ref("event_id"), Column("sender", Text, nullable=False),
    Column("feedback", Text), instant("feedback_at", null=True), instant("at"), Index("ix_message_trace_rule_id", "rule_id", "at"),
)
