"""Moving running cases to a newer bundle: one row per migration, one per instance in it."""
from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table, Text

from engine.storage.tables.base import instant, json, key, metadata, ref
from engine.storage.tables.runtime import effect, instance, task

migration = Table(
    "migration", metadata, key(), Column("process", Text, nullable=False, comment="root process of the instances"),
    ref("definition_id", null=True, comment="the version they stand on; null: every older bundle"), ref("bundle_id", "bundle.id"),
    json("mapping", server_default="{}", comment='{"<pack>.<process>:<node>": node of the new version}'), Column("reason", Text, nullable=False, server_default=""),
    Column("status", Text, nullable=False, comment="checking, checked, running, done, cancelled, undoing, undone"), Column("total", Integer, nullable=False, server_default="0"),
    ref("by_id", "person.id"), Column("by_name", Text, nullable=False), instant("created_at"), instant("started_at", null=True), instant("ended_at", null=True),
    Index("ix_migration_process", "process", "created_at"),
)

migration_item = Table(
    "migration_item", metadata, ref("migration_id", "migration.id", primary_key=True), ref("instance_id", "instance.id", primary_key=True), ref("case_id", "case_file.id"),
    Column("state", Text, nullable=False, comment="new, checked, waiting, done, refused, failed, gone, kept, undone"),
    Column("verdict", Text, nullable=False, server_default="", comment="fits, mapping, refused"), Column("reason", Text, nullable=False, server_default=""),
    json("detail", server_default="{}", comment="needs, obstacles, moves, facts, deadlines, drafts, roles"), ref("act_id", null=True), instant("at"),
    Index("ix_migration_item_state", "migration_id", "state", "instance_id"), Index("ix_migration_item_instance_id", "instance_id"),
)

Index("ix_instance_process_live", instance.c.process, instance.c.id, postgresql_where=instance.c.ended_at.is_(None))
Index("ix_instance_running", instance.c.id, postgresql_where=instance.c.status == "running")
Index("ix_instance_suspended", instance.c.id, postgresql_where=instance.c.status == "suspended")
Index("ix_task_open_since", task.c.opened_at, postgresql_where=task.c.status == "open")
Index("ix_effect_live", effect.c.updated_at, postgresql_where=effect.c.status.in_(["queued", "running"]))
