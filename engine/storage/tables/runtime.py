"""Instances, tasks, acts, timers, subscriptions, jobs' effects, incidents."""
from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, Index, Integer, LargeBinary, Table, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB

from engine.storage.tables.base import instant, json, key, metadata, ref
from engine.storage.tables.packed import PackedJson

instance = Table(
    "instance", metadata, key(), ref("case_id", "case_file.id", index=True), ref("bundle_id", "bundle.id"), ref("definition_id", "definition.id"),
    Column("process", Text, nullable=False), Column("title", Text, nullable=False), Column("status", Text, nullable=False, comment="running, suspended, incident, completed, cancelled"),
    Column("rev", Integer, nullable=False), Column("state", LargeBinary, nullable=False), ref("started_by", null=True), instant("started_at"), instant("updated_at"), instant("ended_at", null=True),
    ref("unit_id", null=True), ref("district_id", null=True), ref("parent_instance_id", null=True),
    Column("people", JSONB(none_as_null=True), comment="who finished each step and each role last, so that no act adds up all steps; null: not known, read from the tasks. See runtime/finishers.py"),
)

task = Table(
    "task", metadata, key(), ref("instance_id", "instance.id"), ref("case_id", "case_file.id"), Column("engine_id", Text, nullable=False, comment="the engine's task id"),
    Column("node", Text, nullable=False, comment="BPMN element id as drawn"), Column("process", Text, nullable=False, comment="process the node stands in"), Column("scope", Text, nullable=False, server_default="", comment="call activities above it, '/'-separated"),
    Column("title", Text, nullable=False), Column("role", Text, nullable=False), Column("role_title", Text, nullable=False, server_default=""), Column("status", Text, nullable=False, comment="open, done, cancelled"), Column("form", Text, comment="<pack>.<form> or null"),
    ref("assignee_id", "person.id", null=True), instant("claimed_at", null=True), ref("from_id", null=True), Column("from_name", Text, nullable=False, server_default=""), Column("from_words", Text, nullable=False, server_default=""),
    Column("returned", Boolean, nullable=False, server_default="false"), Column("due_on", Date), instant("opened_at"), instant("ended_at", null=True), ref("ended_by", null=True), Column("outcome", Text), ref("act_id", null=True),
    ref("unit_id", null=True), ref("district_id", null=True), Column("rev", Integer, nullable=False, server_default="0"), instant("viewed_at", null=True),
    Column("straight_to", Text, nullable=False, server_default="", comment="name of the returner who gets it straight back after this redo"),
    Column("urged", Integer, nullable=False, server_default="0", comment="how often somebody asked to hurry"), json("held", null=True, comment="a completion that waits for the signers after it: data, outcome, opinion, form_hash"),
    ref("ended_for", null=True, comment="the principal, where a deputy ended it"), Column("clock", Text, comment="legal clock whose due date the step follows"),
    Column("warned", Text, comment="soon or late and the day for which its holder was warned last"),
    ref("party_id", "party.id", null=True, comment="the party that does this step from outside"),
    Column("deputies", Boolean, nullable=False, server_default="true", comment="false where the diagram lets no deputy stand in"),
    UniqueConstraint("instance_id", "engine_id"), Index("ix_task_open_due_on", "due_on", postgresql_where="status = 'open' AND due_on IS NOT NULL"),
    Index("ix_task_open_opened_at", "opened_at", postgresql_where="status = 'open' AND due_on IS NULL AND warned IS NULL"),
    Index("ix_task_assignee", "assignee_id", "due_on", "id", postgresql_where="status = 'open'"), Index("ix_task_case_id", "case_id"),
    Index("ix_task_party", "party_id", postgresql_where="status = 'open'"),
    Index("ix_task_ended_by", "ended_by", "ended_at"), Index("ix_task_open_instance", "instance_id", postgresql_where="status = 'open'"),
)

task_candidate = Table(
    "task_candidate", metadata, ref("task_id", "task.id", primary_key=True), ref("unit_id", "unit.id", primary_key=True), Column("post", Text, primary_key=True),
    Column("open", Boolean, nullable=False, server_default="true"), Index("ix_task_candidate_open", "unit_id", "post", postgresql_where="open"),
)

task_signer = Table(
    "task_signer", metadata, key(), ref("task_id", "task.id"), ref("case_id", "case_file.id"), ref("person_id", "person.id"), Column("person_name", Text, nullable=False),
    Column("kind", Text, nullable=False, comment="delegate, before, after"), Column("status", Text, nullable=False, comment="planned (after, not asked yet), open, done, removed, cancelled"),
    ref("asked_by"), Column("asked_name", Text, nullable=False), Column("words", Text, nullable=False, server_default=""), instant("asked_at"),
    Column("stance", Text, comment="agree or disagree"), Column("opinion", Text, nullable=False, server_default=""), instant("answered_at", null=True), ref("act_id", null=True),
    Index("ix_task_signer_task_id", "task_id"), Index("ix_task_signer_open", "person_id", postgresql_where="status = 'open'"),
    Index("uq_task_signer_live", "task_id", "person_id", unique=True, postgresql_where="status in ('planned','open')"),
)

deputy = Table(
    "deputy", metadata, key(), ref("person_id", "person.id", index=True), ref("deputy_id", "person.id"), Column("from_on", Date, nullable=False), Column("until_on", Date, nullable=False),
    json("processes", server_default="[]", comment="names of processes; empty: all"), Column("reason", Text, nullable=False, server_default=""), instant("created_at"), instant("ended_at", null=True),
    Index("ix_deputy_deputy_id", "deputy_id", "until_on", postgresql_where="ended_at IS NULL"),
)

draft = Table(
    "draft", metadata, ref("task_id", "task.id", primary_key=True), ref("person_id", "person.id", primary_key=True), json("data"), Column("form_hash", Text, nullable=False), Column("rev", Integer, nullable=False), instant("updated_at"),
)

start_draft = Table(
    "start_draft", metadata, key(), ref("person_id", "person.id", index=True), Column("process", Text, nullable=False), json("data"), instant("updated_at"),
)

submission = Table(
    "submission", metadata, key(), ref("case_id", "case_file.id", index=True), ref("instance_id", "instance.id"), ref("task_id", null=True), ref("act_id", "act.id"),
    Column("node", Text, nullable=False), Column("form", Text, nullable=False), Column("form_hash", Text, nullable=False), json("data"), ref("by_id", null=True), Column("by_name", Text, nullable=False), instant("at"),
    Column("superseded", Boolean, nullable=False, server_default="false", comment="true once a return undid it"),
)

act = Table(
    "act", metadata, key(), Column("key", Text, nullable=False, unique=True, comment="idempotency key"), Column("kind", Text, nullable=False, comment="start, complete, return, withdraw, claim, release, transfer, timer, message, service, skip, …"),
    ref("case_id", null=True), ref("instance_id", null=True), ref("task_id", null=True), Column("node", Text), Column("process", Text), Column("title", Text, nullable=False, server_default=""),
    ref("actor_id", null=True), Column("actor_name", Text, nullable=False), Column("actor_post", Text, nullable=False, server_default=""), instant("at"), Column("outcome", Text), Column("outcome_title", Text), Column("opinion", Text, nullable=False, server_default=""),
    json("flows", server_default="[]", comment="original ids of the sequence flows taken"), json("nodes", server_default="[]", comment="original ids of nodes entered or left"), json("result", server_default="{}"), Column("request_hash", Text, nullable=False, server_default=""),
    Column("rev_before", Integer), Column("snapshot", LargeBinary, comment="state before this act; null where nothing moved"), Column("moves", PackedJson, comment="what the act did to the engine, enough to do it again from the state before: see runtime/bpmn/journal.py"), ref("undone_by", null=True), Column("automatic", Boolean, nullable=False, server_default="false"),
    Column("audit_chain", Text), Column("audit_seq", Integer), instant("task_opened_at", null=True), ref("on_behalf_of_id", null=True), Column("on_behalf_of", Text, nullable=False, server_default="", comment="the principal, where a deputy acted"),
    Index("ix_act_case_id_at", "case_id", "at"), Index("ix_act_instance_id_rev", "instance_id", "rev_before"), Index("ix_act_actor_id_at", "actor_id", "at"),
)

timer = Table(
    "timer", metadata, ref("instance_id", "instance.id", primary_key=True), Column("engine_id", Text, primary_key=True), ref("case_id", null=True), Column("node", Text, nullable=False),
    instant("due_at"), Column("suspended", Boolean, nullable=False, server_default="false"), Column("clock", Text, comment="legal clock it follows"), instant("claimed_at", null=True),
    Column("on_last_day", Boolean, nullable=False, server_default="false", comment="due when the clock's last day begins, not when it is over"),
    Index("ix_timer_case_id", "case_id", "clock", postgresql_where="clock IS NOT NULL"),
    Index("ix_timer_due_at", "due_at", postgresql_where="NOT suspended AND claimed_at IS NULL"), Index("ix_timer_claimed", "case_id", postgresql_where="claimed_at IS NOT NULL"),
)

subscription = Table(
    "subscription", metadata, ref("instance_id", "instance.id", primary_key=True), Column("engine_id", Text, primary_key=True), Column("kind", Text, nullable=False, comment="message or signal"),
    Column("name", Text, primary_key=True), Column("correlation", Text, nullable=False, server_default=""), Column("node", Text, nullable=False), Index("ix_subscription_name", "kind", "name", "correlation"),
)

message_inbox = Table(
    "message_inbox", metadata, key(), Column("key", Text, nullable=False, unique=True), Column("name", Text, nullable=False), Column("correlation", Text, nullable=False, server_default=""), json("payload"),
    Column("status", Text, nullable=False, comment="waiting, delivered, expired"), instant("received_at"), instant("expires_at"), instant("delivered_at", null=True), ref("instance_id", null=True),
    Index("ix_message_inbox_waiting", "name", "correlation", postgresql_where="status = 'waiting'"),
)

effect = Table(
    "effect", metadata, key(), Column("key", Text, nullable=False, unique=True, comment="instance:engine task:effect, never the attempt"), ref("instance_id", "instance.id", index=True), ref("case_id", null=True), Column("engine_id", Text, nullable=False),
    Column("node", Text, nullable=False), Column("handler", Text, nullable=False), json("arguments"), Column("status", Text, nullable=False, comment="queued, running, done, failed, skipped, cancelled"), json("result", null=True),
    Column("attempts", Integer, nullable=False, server_default="0"), Column("reversible", Boolean, nullable=False, server_default="true"), instant("created_at"), instant("updated_at"),
)

incident = Table(
    "incident", metadata, key(), ref("instance_id", "instance.id", index=True), ref("case_id", null=True), ref("task_id", null=True), ref("effect_id", null=True), Column("engine_id", Text), Column("node", Text, nullable=False), Column("process", Text, nullable=False, server_default=""),
    Column("kind", Text, nullable=False, comment="service, assignment, expression, error_uncaught, timer"), Column("message", Text, nullable=False), json("detail", server_default="{}"), Column("status", Text, nullable=False, comment="open, retried, skipped, resolved"),
    instant("opened_at"), instant("closed_at", null=True), ref("closed_by", null=True), Column("reason", Text, nullable=False, server_default=""), ref("unit_id", null=True), ref("district_id", null=True),
    Index("ix_incident_open", "opened_at", postgresql_where="status = 'open'"),
)

event_feed = Table(
    "event_feed", metadata, key(), Column("kind", Text, nullable=False), ref("case_id", null=True, index=True), ref("task_id", null=True), ref("unit_id", null=True), ref("district_id", null=True), json("payload"), instant("at"),
)
