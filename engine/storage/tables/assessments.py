"""Assessments: score sheets as administrators edited them. Rounds, scores and results are records of registers."""
from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Numeric, Table, Text

from engine.storage.tables.base import instant, json, key, metadata, ref

assessment_sheet = Table(
    "assessment_sheet", metadata, key(), Column("assessment", Text, nullable=False), Column("version", Integer, nullable=False),
    json("items", comment="items as the assessment's YAML writes them; rounds opened from then on take these"),
    Column("note", Text, nullable=False), ref("by_id"), Column("by_name", Text, nullable=False), ref("unit_id", null=True), ref("district_id", null=True), instant("at"),
    Index("uq_assessment_sheet_version", "assessment", "version", unique=True),
)

assessment_mark = Table(
    "assessment_mark", metadata, ref("score_id", primary_key=True, comment="the record of the score that the marks make together"), ref("person_id", "person.id", primary_key=True), Column("person_name", Text, nullable=False),
    Column("role", Text, nullable=False, comment="the role in which they marked"), Column("score", Numeric, nullable=False), Column("words", Text, nullable=False, server_default=""), instant("first_at"), instant("at"),
)
