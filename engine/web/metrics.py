"""``/metrics``: figures of the running platform in Prometheus' text format, for a monitor that brings a token of somebody with “运行值守”."""
from __future__ import annotations

from collections.abc import Iterator
from shutil import disk_usage

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection, text

from engine.web.context import actor, application, now, reading

blueprint = Blueprint("metrics", __name__)
COUNTED = {
    "guicheng_sessions_open": ("正在登录的会话", "SELECT count(*) FROM session WHERE expires_at > :at"),
    "guicheng_incidents_open": ("没有处理的异常", "SELECT count(*) FROM incident WHERE status = 'open'"),
    "guicheng_jobs_waiting": ("排队的后台任务", "SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo'"),
    "guicheng_jobs_failed": ("失败的后台任务", "SELECT count(*) FROM procrastinate_jobs WHERE status = 'failed'"),
    "guicheng_job_oldest_seconds": ("排队最久的后台任务等了几秒", "SELECT coalesce(extract(epoch FROM CAST(:at AS timestamptz) - min(scheduled_at)), 0) FROM procrastinate_jobs WHERE status = 'todo' AND scheduled_at <= :at"),
    "guicheng_timers_overdue": ("到期还没有办的定时器", "SELECT count(*) FROM timer WHERE due_at < CAST(:at AS timestamptz) - interval '2 minutes' AND NOT suspended AND claimed_at IS NULL"),
    "guicheng_alarms_open": ("没有处理的安全告警", "SELECT count(*) FROM integrity_alarm WHERE closed_at IS NULL"),
    "guicheng_audit_records": ("审计记录", "SELECT coalesce(sum(seq), 0) FROM audit_head"),
    "guicheng_anchor_age_seconds": ("最近一次锚定过了几秒", "SELECT coalesce(extract(epoch FROM CAST(:at AS timestamptz) - max(at)), 0) FROM audit_anchor"),
    "guicheng_database_bytes": ("数据库大小", "SELECT pg_database_size(current_database())"),
    "guicheng_database_connections": ("数据库连接", "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"),
}


@blueprint.get("/metrics")
def page() -> ResponseReturnValue:
    actor().require("operator")
    with reading() as connection:
        return Response("".join(_lines(connection)), content_type="text/plain; version=0.0.4; charset=utf-8")


def _lines(connection: Connection) -> Iterator[str]:
    at = now()
    for name, (words, query) in COUNTED.items():
        figure = connection.execute(text(query), {"at": at} if ":at" in query else {}).scalar_one()
        yield f"# HELP {name} {words}\n# TYPE {name} gauge\n{name} {float(figure):g}\n"
    disk = disk_usage(application().settings.data_dir)
    yield f"# HELP guicheng_disk_free_bytes 数据目录所在磁盘的余量\n# TYPE guicheng_disk_free_bytes gauge\nguicheng_disk_free_bytes {disk.free}\n"
