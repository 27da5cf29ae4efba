"""Draws and what they picked."""
from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, Table, Text

from engine.storage.tables.base import instant, json, key, metadata, ref

sample_draw = Table(
    "sample_draw", metadata, key(), Column("title", Text, nullable=False), Column("register", Text, nullable=False), Column("query", Text, nullable=False, server_default="", comment="the list's address behind the question mark"),
    Column("stratum", Text, nullable=False, server_default="", comment="the field whose values are the strata"), json("rule"), Column("seed", Text, nullable=False),
    Column("seed_source", Text, nullable=False), Column("population", Integer, nullable=False), Column("population_sm3", Text, nullable=False),
    Column("picked", Integer, nullable=False), json("strata"), Column("proof_sm3", Text, nullable=False), ref("case_id", "case_file.id", null=True, index=True),
    ref("previous_id", "sample_draw.id", null=True, unique=True, comment="the draw that this one replaces"), Column("reason", Text, nullable=False, server_default="", comment="why it was drawn again"),
    ref("by_id", null=True), Column("by_name", Text, nullable=False), ref("unit_id", null=True), ref("district_id", null=True), instant("at"),
    Index("ix_sample_draw_register", "register", "at"), Index("ix_sample_draw_unit_id", "unit_id", "at"),
)

sample_pick = Table(
    "sample_pick", metadata, ref("draw_id", "sample_draw.id", primary_key=True), ref("record_id", primary_key=True), Column("place", Integer, nullable=False),
    Column("stratum", Text, nullable=False), Column("label", Text, nullable=False), Column("lot", Text, nullable=False), Column("rank", Integer, nullable=False),
    Column("must", Boolean, nullable=False), Index("uq_sample_pick_place", "draw_id", "place", unique=True), Index("ix_sample_pick_record_id", "record_id"),
)
