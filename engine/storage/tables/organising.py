"""What administrators do with units, people and rights: history, names by day, roles of one's own, what a role may."""
from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, Index, Integer, Table, Text

from engine.storage.tables.base import instant, json, key, metadata, ref

unit_name = Table(
    "unit_name", metadata, key(), ref("unit_id", "unit.id"), Column("name", Text, nullable=False), Column("short_name", Text, nullable=False),
    Column("valid_from", Date, nullable=False), Column("source", Text, nullable=False, server_default=""),
    Index("ix_unit_name_unit_id_valid_from", "unit_id", "valid_from"),
)

organisation_act = Table(
    "organisation_act", metadata, key(), Column("key", Text, nullable=False, unique=True, comment="a form sent twice carries the same one"), instant("at"),
    ref("actor_id"), Column("actor_name", Text, nullable=False), Column("verb", Text, nullable=False), ref("unit_id", null=True), ref("person_id", null=True),
    Column("text", Text, nullable=False, comment="what was done, in words"), Column("reason", Text, nullable=False, server_default=""), json("detail", server_default="{}"),
    Index("ix_organisation_act_unit_id", "unit_id", "at"), Index("ix_organisation_act_person_id", "person_id", "at"), Index("ix_organisation_act_at", "at"),
)

own_role = Table(
    "own_role", metadata, key(), Column("name", Text, nullable=False, unique=True, comment="own.<word>"), Column("title", Text, nullable=False),
    Column("help", Text, nullable=False, server_default=""), Column("active", Boolean, nullable=False, server_default="true"), instant("updated_at"),
)

role_person = Table(
    "role_person", metadata, key(), Column("role", Text, nullable=False, comment="own.<word>"), ref("person_id", "person.id", index=True),
    Column("valid_from", Date, nullable=False), Column("valid_until", Date), Column("source", Text, nullable=False, server_default=""),
    Index("ix_role_person_role", "role"),
)

access_grant = Table(
    "access_grant", metadata, key(), Column("role", Text, nullable=False, comment="<pack>.<role>, own.<word>, or * for everybody"),
    Column("kind", Text, nullable=False, comment="function, register, field, or closed: what the register's own rule allows is off"),
    Column("object", Text, nullable=False, comment="a right, <pack>.<register>, or <pack>.<register>.<field>"),
    Column("level", Text, nullable=False, comment="use; read, edit, import, export, draw; hide, mask, read"),
    Column("scope", Text, nullable=False, server_default="own", comment="registers: own, below, agency, bureau, all"),
    Column("valid_from", Date, nullable=False), Column("valid_until", Date), Column("source", Text, nullable=False, server_default=""), instant("updated_at"),
    Index("ix_access_grant_role", "role"),
)

organisation_change = Table(
    "organisation_change", metadata, key(), ref("import_id"), Column("rank", Integer, nullable=False, comment="the order of writing; taking back runs the other way"),
    Column("sheet", Text, nullable=False), Column("row", Integer, nullable=False, comment="in the file; 0: follows from another row"),
    Column("table_name", Text, nullable=False, comment="unit, person, post, certificate"), ref("row_id"),
    json("before", null=True, comment="null: the import makes the row"), json("after"), Column("text", Text, nullable=False, comment="what is done, in words"),
    Index("ix_organisation_change_import_id_rank", "import_id", "rank"),
)
