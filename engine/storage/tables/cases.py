"""Cases, links, parties, attachments, legal clocks, grants."""
from __future__ import annotations

from sqlalchemy import Boolean, Column, Computed, Date, ForeignKey, Index, Integer, LargeBinary, Table, Text, UniqueConstraint, Uuid

from engine.storage.tables.base import instant, json, key, metadata, ref

case_file = Table(
    "case_file", metadata, key(), Column("kind", Text, nullable=False, comment="<pack>.<kind>, e.g. case_filing.clue"),
    Column("number", Text, unique=True), Column("title", Text, nullable=False), Column("subject", Text, nullable=False, server_default="", comment="当事人"),
    Column("address", Text, nullable=False, server_default=""), Column("state", Text, nullable=False), Column("state_title", Text, nullable=False),
    ref("unit_id", "unit.id"), ref("district_id", null=True), ref("handler_id", "person.id", null=True), ref("parent_id", "case_file.id", null=True),
    json("tags", server_default="[]"), Column("search", Text, nullable=False, server_default="", comment="fields marked search, folded"),
    Column("finder", Text, Computed("lower(normalize(coalesce(number, '') || ' ' || title || ' ' || subject || ' ' || address || ' ' || search, NFKC))", persisted=True), comment="what the search box looks through"),
    ref("created_by", "person.id", null=True), instant("created_at"), instant("updated_at"), Column("state_before", Text, comment="the state to go back to while the case is held (期限暂停, 中止)"), instant("closed_at", null=True), instant("voided_at", null=True),
    Index("ix_case_file_unit_id_updated_at", "unit_id", "updated_at"), Index("ix_case_file_district_id_updated_at", "district_id", "updated_at"),
    Index("ix_case_file_handler_id_updated_at", "handler_id", "updated_at"), Index("ix_case_file_created_by_updated_at", "created_by", "updated_at"),
    Index("ix_case_file_updated_at", "updated_at"),
)

case_words = Table(
    "case_words", metadata, Column("case_id", Uuid, ForeignKey("case_file.id", ondelete="CASCADE"), primary_key=True),
    Column("finder", Text, nullable=False, comment="case_file.finder, kept by the database (engine.storage.case_words), with the indexes that look for words"),
    Index("ix_case_words_finder", "finder", postgresql_using="gin", postgresql_ops={"finder": "gin_trgm_ops"}),
)

case_link = Table(
    "case_link", metadata, key(), ref("from_id", "case_file.id", index=True), ref("to_id", "case_file.id", index=True),
    Column("kind", Text, nullable=False, comment="became, merged_into, related"), Column("reason", Text, nullable=False, server_default=""), instant("at"),
    UniqueConstraint("from_id", "to_id", "kind"),
)

case_grant = Table(
    "case_grant", metadata, ref("case_id", "case_file.id", primary_key=True), ref("person_id", "person.id", primary_key=True),
    Column("reason", Text, primary_key=True, comment="handled, shared, copied"), instant("at"), instant("until", null=True), Column("mac", LargeBinary, comment="HMAC-SM3 of who, what, why and until when"),
    Index("ix_case_grant_person_id_at", "person_id", "at"),
)

case_copy = Table(
    "case_copy", metadata, ref("case_id", "case_file.id", primary_key=True), ref("person_id", "person.id", primary_key=True), ref("by_id"), Column("by_name", Text, nullable=False),
    Column("words", Text, nullable=False, server_default=""), instant("at"), Index("ix_case_copy_person_id_at", "person_id", "at"),
)

party = Table(
    "party", metadata, key(), Column("kind", Text, nullable=False, comment="person or organisation"), Column("name", Text, nullable=False),
    Column("identifier_kind", Text, nullable=False), Column("identifier", LargeBinary, comment="SM4-GCM"), Column("identifier_index", LargeBinary, comment="HMAC-SM3"),
    Column("phone", LargeBinary), Column("phone_index", LargeBinary), Column("address", Text, nullable=False, server_default=""),
    json("detail", server_default="{}"), ref("unit_id", null=True), ref("district_id", null=True), instant("created_at"), instant("updated_at"),
    UniqueConstraint("identifier_kind", "identifier_index"), Index("ix_party_name", "name", postgresql_using="gin", postgresql_ops={"name": "gin_trgm_ops"}),
)

case_party = Table(
    "case_party", metadata, key(), ref("case_id", "case_file.id", index=True), ref("party_id", "party.id", index=True),
    Column("role", Text, nullable=False, server_default="party"), json("snapshot"), instant("at"), ref("act_id", null=True),
)

attachment = Table(
    "attachment", metadata, key(), Column("sm3", Text, nullable=False), ref("case_id", "case_file.id", null=True, index=True), ref("task_id", null=True, index=True),
    Column("field", Text, nullable=False, server_default=""), Column("file_name", Text, nullable=False), Column("content_type", Text, nullable=False),
    Column("size", Integer, nullable=False), Column("caption", Text, nullable=False, server_default=""), json("capture", server_default="{}", comment="time, place, device as the camera said"),
    ref("unit_id", null=True), ref("district_id", null=True), ref("uploaded_by", "person.id"), instant("uploaded_at"), instant("removed_at", null=True),
    Column("thumbnail_sm3", Text),
    Column("register", Text, comment="<pack>.<register> of the record that holds the file"), ref("record_id", null=True),
    Index("ix_attachment_record_id", "record_id", postgresql_where="record_id IS NOT NULL"), Index("ix_attachment_sm3", "sm3"),
)

case_export = Table(
    "case_export", metadata, ref("case_id", "case_file.id", primary_key=True), Column("view", Text, primary_key=True, server_default="", comment="what grants by field hide from whom it was made for"), Column("mark", Text, nullable=False, comment="what the case held when the whole file was made"),
    Column("sm3", Text, comment="null while the worker makes it"), Column("problem", Text, nullable=False, server_default=""), instant("asked_at"), instant("made_at", null=True),
)

case_clock = Table(
    "case_clock", metadata, key(), ref("case_id", "case_file.id", index=True), ref("instance_id", null=True), Column("clock", Text, nullable=False, comment="<pack>.<parameter>"),
    Column("title", Text, nullable=False), Column("day_kind", Text, nullable=False, comment="working_day, day, month, year"), Column("amount", Integer, nullable=False),
    Column("law", Text, nullable=False, server_default=""), Column("start_on", Date, nullable=False), Column("due_on", Date), Column("state", Text, nullable=False, comment="running, suspended, met, expired, cancelled"),
    ref("unit_id", null=True), ref("district_id", null=True), instant("updated_at"), instant("ended_at", null=True), Column("warned", Boolean, nullable=False, server_default="false"),
    json("rule", server_default="{}", comment="first day, rest day, limits and steps of its law when it started"),
    instant("start_at", null=True, comment="clocks in hours"), instant("due_at", null=True, comment="clocks in hours"), instant("next_at", null=True, comment="when its next step is due"),
    Index("ix_case_clock_due_on", "due_on", postgresql_where="state = 'running'"),
    Index("ix_case_clock_unit_id_due_on", "unit_id", "due_on", postgresql_where="state IN ('running', 'suspended')"),
    Index("ix_case_clock_next_at", "next_at", postgresql_where="state = 'running' AND next_at IS NOT NULL"),
    Index("uq_case_clock_live", "case_id", "clock", unique=True, postgresql_where="state in ('running','suspended')"),
)

clock_event = Table(
    "clock_event", metadata, key(), ref("clock_id", "case_clock.id", index=True), Column("kind", Text, nullable=False, comment="start, suspend, resume, exclude, extend, end; calendar (on_day before, until_day after)"),
    Column("on_day", Date, nullable=False), Column("until_day", Date), Column("amount", Integer), Column("day_kind", Text), Column("ground", Text, nullable=False, server_default=""),
    ref("document_id", null=True), ref("act_id", null=True), ref("by_id", null=True), instant("at"), instant("on_at", null=True, comment="clocks in hours"), instant("until_at", null=True),
)
