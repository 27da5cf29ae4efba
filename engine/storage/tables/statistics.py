"""Rules of counting that administrators add; periodic reports with what was issued."""
from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, Index, Integer, Numeric, Table, Text

from engine.storage.tables.base import instant, json, key, metadata, ref

statistic_rule = Table(
    "statistic_rule", metadata, key(), Column("statistic", Text, nullable=False), Column("measure", Text, nullable=False),
    Column("valid_from", Date, nullable=False, comment="the first day that is counted this way"), json("condition", null=True, comment="as engine.registers.conditions writes it; null counts everything"),
    Column("source", Text, nullable=False), ref("by_id"), Column("by_name", Text, nullable=False), ref("unit_id", null=True), ref("district_id", null=True), instant("at"),
    Index("ix_statistic_rule_statistic", "statistic", "measure", "valid_from", "at"),
)

statistic_target = Table(
    "statistic_target", metadata, key(), Column("statistic", Text, nullable=False), Column("measure", Text, nullable=False),
    Column("valid_from", Date, nullable=False, comment="periods that end on this day or later are judged by it"), Column("good", Numeric, comment="null: no target from then on"), Column("fair", Numeric),
    Column("less", Boolean, nullable=False, comment="the lower the better"), Column("source", Text, nullable=False), ref("by_id"), Column("by_name", Text, nullable=False),
    ref("unit_id", null=True), ref("district_id", null=True), instant("at"),
    Index("ix_statistic_target_statistic", "statistic", "measure", "valid_from", "at"),
)

report_template = Table(
    "report_template", metadata, key(), Column("report", Text, nullable=False), Column("version", Integer, nullable=False), Column("body", Text, nullable=False),
    Column("note", Text, nullable=False), ref("by_id"), Column("by_name", Text, nullable=False), ref("unit_id", null=True), ref("district_id", null=True), instant("at"),
    Index("uq_report_template_version", "report", "version", unique=True),
)

report_issue = Table(
    "report_issue", metadata, key(), Column("report", Text, nullable=False), Column("title", Text, nullable=False), Column("period", Text, nullable=False),
    Column("state", Text, nullable=False, comment="draft, approving, issuing, issued"), ref("case_id", null=True, comment="the case that approves it, for reports with a process of approval"), Column("body", Text, nullable=False, comment="the text as it may still be edited, then as it was issued"),
    json("figures", comment="every figure that the text names, with the moment it was taken"), instant("taken_at"), Column("template_version", Integer, nullable=False),
    Column("rev", Integer, nullable=False, server_default="0"), Column("word_sm3", Text), Column("pdf_sm3", Text),
    instant("issued_at", null=True), ref("account_id", null=True), ref("post_id", null=True), ref("by_id", null=True), Column("by_name", Text, nullable=False), ref("unit_id"), ref("district_id", null=True), instant("at"),
    Index("ix_report_issue_report", "report", "at"), Index("ix_report_issue_case_id", "case_id"), Index("ix_report_issue_unit_id", "unit_id", "at"),
)

report_reader = Table(
    "report_reader", metadata, ref("issue_id", "report_issue.id", primary_key=True), ref("person_id", "person.id", primary_key=True), instant("sent_at"),
    instant("read_at", null=True), Index("ix_report_reader_person_id", "person_id", "sent_at"),
)
