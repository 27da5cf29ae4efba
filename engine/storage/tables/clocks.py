"""What legal clocks did and will do, how many there are, changes of the calendar, warning models."""
from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, Index, Integer, Table, Text

from engine.storage.tables.base import instant, json, key, metadata, ref

clock_done = Table(
    "clock_done", metadata, ref("clock_id", "case_clock.id", primary_key=True), Column("step", Text, primary_key=True, comment="fingerprint of the step"),
    Column("due_on", Date, primary_key=True, comment="the due date it was done for"), Column("kind", Text, nullable=False, comment="remind, escalate, message, signal, skipped"),
    Column("words", Text, nullable=False, server_default=""), instant("at"),
)

clock_count = Table(
    "clock_count", metadata, ref("unit_id", primary_key=True), Column("clock", Text, primary_key=True, comment="<pack>.<parameter>, without a label"),
    Column("due_on", Date, primary_key=True, comment="9999-12-31: suspended"), Column("n", Integer, nullable=False, comment="live clocks, as folded"),
)

clock_delta = Table(
    "clock_delta", metadata, ref("unit_id"), Column("clock", Text, nullable=False), Column("due_on", Date, nullable=False),
    Column("n", Integer, nullable=False, comment="written by triggers of case_clock, folded into clock_count every minute"),
)

calendar_change = Table(
    "calendar_change", metadata, key(), Column("region", Text, nullable=False, comment="CN-SH, or district:<unit id>"), Column("title", Text, nullable=False), Column("source", Text, nullable=False, server_default=""),
    json("days", server_default="[]", comment="[day, working, title], working null: as its weekday says"), json("before", server_default="[]", comment="what these days were when it was applied"), Column("state", Text, nullable=False, comment="draft, previewing, previewed, applying, applied, undoing, cancelled, failed"),
    Column("total", Integer, nullable=False, server_default="0"), Column("done", Integer, nullable=False, server_default="0"), Column("shifted", Integer, nullable=False, server_default="0"),
    Column("cancelled", Boolean, nullable=False, server_default="false"), Column("note", Text, nullable=False, server_default=""), Column("rev", Integer, nullable=False, server_default="0"),
    Column("run", Integer, nullable=False, server_default="0", comment="which preview or application this is; a job of an earlier one does nothing"),
    ref("by_id"), Column("by_name", Text, nullable=False), instant("at"), instant("updated_at"), instant("applied_at", null=True), Index("ix_calendar_change_at", "at"),
)

calendar_shift = Table(
    "calendar_shift", metadata, ref("change_id", "calendar_change.id", primary_key=True), ref("clock_id", primary_key=True), ref("case_id"),
    Column("title", Text, nullable=False), ref("unit_id", null=True), Column("due_before", Date, nullable=False), Column("due_after", Date, nullable=False),
    Column("problem", Text, nullable=False, server_default=""), Index("ix_calendar_shift_due_after", "change_id", "due_after", "clock_id"),
)

warning_model = Table(
    "warning_model", metadata, key(), Column("clock", Text, nullable=False, comment="<pack>.<parameter>"), Column("valid_from", Date, nullable=False),
    json("model", comment="soon and steps, as in parameters.yaml"), Column("source", Text, nullable=False), ref("by_id"), Column("by_name", Text, nullable=False), instant("at"),
    Index("ix_warning_model_clock", "clock", "valid_from"),
)
"""Rows are never changed: the one of the latest day, and of these the last written, holds."""
