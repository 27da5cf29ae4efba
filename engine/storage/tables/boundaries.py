"""Outlines of districts and streets, as administrators bring them in."""
from __future__ import annotations

from sqlalchemy import Column, Index, Table, Text

from engine.storage.tables.base import instant, json, key, metadata, ref

boundary = Table(
    "boundary", metadata, key(), Column("level", Text, nullable=False, comment="district or street"), Column("code", Text, nullable=False, comment="administrative code; of a street without one, its district's code and name"),
    Column("name", Text, nullable=False), Column("district", Text, nullable=False, comment="administrative code of the district, six digits"),
    json("units", server_default="[]", comment="codes of units that belong here whatever they are called"), json("outline", comment="GeoJSON Polygon or MultiPolygon in CGCS2000"),
    Column("source", Text, nullable=False, comment="whose data it is, as of when"), ref("by_id"), Column("by_name", Text, nullable=False), instant("at"), instant("until", null=True, comment="when a newer one took its place; null: in use"),
    Index("uq_boundary_code", "level", "code", unique=True, postgresql_where="until IS NULL"), Index("ix_boundary_district", "level", "district", postgresql_where="until IS NULL"),
)
