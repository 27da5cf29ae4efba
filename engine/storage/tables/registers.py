"""History of register records, saved views of lists, files in and out. The registers' own tables stand in schema ``reg`` and come from declarations."""
from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, Table, Text

from engine.storage.tables.base import instant, json, key, metadata, ref

record_history = Table(
    "record_history", metadata, key(), Column("register", Text, nullable=False, comment="<pack>.<register>"), ref("record_id"),
    ref("act_id", null=True), instant("at"), ref("by_id", null=True), Column("by_name", Text, nullable=False), Column("reason", Text, nullable=False, server_default=""),
    json("changes", comment='{"field": [before, after]}; encrypted fields say only that they changed'),
    ref("import_id", null=True, comment="the import that made the record"),
    Index("ix_record_history_record", "register", "record_id", "at"), Index("ix_record_history_act_id", "act_id"),
    Index("ix_record_history_import_id", "import_id", postgresql_where="import_id IS NOT NULL"),
)

register_view = Table(
    "register_view", metadata, key(), ref("person_id", "person.id"), Column("register", Text, nullable=False), Column("title", Text, nullable=False),
    Column("query", Text, nullable=False, comment="the list's address behind the question mark"), instant("at"),
    Index("uq_register_view_title", "person_id", "register", "title", unique=True),
)

register_transfer = Table(
    "register_transfer", metadata, key(), Column("register", Text, nullable=False), Column("kind", Text, nullable=False, comment="export, import"),
    ref("person_id", "person.id"), ref("account_id"), ref("post_id"), ref("unit_id"), ref("district_id", null=True),
    Column("person_name", Text, nullable=False), Column("state", Text, nullable=False, comment="waiting, checking, checked, writing, done, cancelled, undoing, undone, failed"),
    Column("file_name", Text, nullable=False, server_default=""), Column("query", Text, nullable=False, server_default=""),
    Column("source_sm3", Text, comment="the file that was brought"), Column("result_sm3", Text, comment="the export, or the wrong rows of an import"),
    Column("total", Integer, nullable=False, server_default="0"), Column("done", Integer, nullable=False, server_default="0"), Column("wrong", Integer, nullable=False, server_default="0"),
    Column("cancelled", Boolean, nullable=False, server_default="false", comment="somebody asked to stop"),
    json("problems", server_default="[]", comment='[{"row", "title", "text"}], the first two hundred'),
    json("options", server_default="{}", comment='how an import reads places: {"datum", "locate"}'), json("doubts", server_default="[]", comment='[{"row", "title", "text"}], addresses that were not found for sure, the first two hundred'),
    Column("located", Integer, nullable=False, server_default="0", comment="rows whose place was found by their address"), Column("doubtful", Integer, nullable=False, server_default="0"), Column("note", Text, nullable=False, server_default=""),
    instant("at"), instant("written_at", null=True), instant("updated_at"),
    Index("ix_register_transfer_person", "person_id", "register", "at"),
)
