"""What waits for its time or its children: start events in force, and fan-outs with an item per child case."""
from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, Table, Text

from engine.storage.tables.base import instant, json, key, metadata, ref

start_event = Table(
    "start_event", metadata, Column("process", Text, primary_key=True, comment="<pack>.<process>"), Column("event", Text, primary_key=True, comment="BPMN element id"),
    ref("definition_id", "definition.id"), Column("kind", Text, nullable=False, comment="timer, signal, conditional"), Column("title", Text, nullable=False),
    Column("name", Text, nullable=False, server_default="", comment="the signal, or the register whose changes are looked at"), Column("rule", Text, nullable=False, server_default="", comment="time or condition as written"),
    Column("unit", Text, nullable=False, server_default="", comment="code or FEEL: who gets the case"), Column("status", Text, nullable=False, comment="armed, stopped (by an operator), over (no further time)"),
    instant("due_at", null=True), Column("left_over", Integer, comment="firings left of a cycle, -1 for ever"), Column("every", Text, comment="ISO duration of a cycle"),
    instant("look_at", null=True, comment="when the clock looks next: due_at, later after a failure"), Column("problem", Text, nullable=False, server_default=""),
    instant("last_at", null=True), ref("last_case_id", null=True), Column("changed_name", Text, nullable=False, server_default="", comment="who stopped or resumed it"),
    Column("reason", Text, nullable=False, server_default=""), instant("changed_at", null=True),
    Index("ix_start_event_due", "look_at", postgresql_where="status = 'armed' AND kind = 'timer'"), Index("ix_start_event_name", "kind", "name", postgresql_where="status = 'armed'"),
)

start_look = Table(
    "start_look", metadata, key(), Column("register", Text, nullable=False, comment="id is that of the record_history row; written by a trigger"), instant("look_at", null=True, comment="after a failure: not before"),
)

fanout = Table(
    "fanout", metadata, key(), ref("instance_id", "instance.id"), ref("case_id", "case_file.id", index=True), Column("engine_id", Text, nullable=False, comment="the token that waits"),
    Column("node", Text, nullable=False), Column("process", Text, nullable=False), Column("scope", Text, nullable=False, server_default=""), Column("body", Text, nullable=False, comment="spec the activity stands in"),
    Column("title", Text, nullable=False), json("facts", comment="what the items see of the parent"), Column("total", Integer, nullable=False), Column("remaining", Integer, nullable=False),
    Column("status", Text, nullable=False, comment="open, ended (enough came back), cancelled"), Column("outcome", Text, comment="of the item that came back last"),
    Column("suspended", Boolean, nullable=False, server_default="false"), ref("started_by", null=True), instant("created_at"), instant("ended_at", null=True), Column("ended_name", Text, nullable=False, server_default=""),
    Column("reason", Text, nullable=False, server_default=""), Column("problem", Text, nullable=False, server_default=""),
    Index("uq_fanout_token", "instance_id", "engine_id", unique=True), Index("ix_fanout_open", "created_at", postgresql_where="status = 'open'"),
)

fanout_item = Table(
    "fanout_item", metadata, ref("fanout_id", "fanout.id", primary_key=True), Column("index", Integer, primary_key=True, comment="from 0"), json("item", null=True), Column("title", Text, nullable=False, server_default=""),
    Column("status", Text, nullable=False, comment="planned, running, done, skipped, cancelled"), ref("case_id", null=True), ref("instance_id", null=True), json("result", null=True), instant("ended_at", null=True),
    Column("reason", Text, nullable=False, server_default=""),
    Index("ix_fanout_item_status", "fanout_id", "status", "index"), Index("uq_fanout_item_instance", "instance_id", unique=True, postgresql_where="instance_id IS NOT NULL"),
)

start_failure = Table(
    "start_failure", metadata, key(), Column("key", Text, nullable=False, unique=True, comment="idempotency key of the start"), Column("process", Text, nullable=False), Column("event", Text, nullable=False),
    Column("title", Text, nullable=False, comment="of the process"), json("facts", comment="first facts of the case that should have begun"), ref("case_id", null=True, comment="the case it came from"), ref("unit_id", null=True),
    Column("message", Text, nullable=False), Column("status", Text, nullable=False, comment="open, retried, skipped, resolved"), instant("opened_at"), instant("closed_at", null=True),
    ref("closed_by", null=True), Column("closed_name", Text, nullable=False, server_default=""), Column("reason", Text, nullable=False, server_default=""),
    Index("ix_start_failure_open", "opened_at", postgresql_where="status = 'open'"), comment="a case that a signal or a record should have begun, and that failed for good",
)
