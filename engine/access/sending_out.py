"""The trail goes out to the log server of a deployment (``GUICHENG_SYSLOG``): every record once, in the order of its chain, and once a day what is installed.

How far each chain has gone is kept in ``data_dir/syslog.json``. A server that doesn't answer loses nothing: the next minute goes on there.
"""
from __future__ import annotations

from datetime import datetime, timedelta
from importlib.metadata import distributions
from pathlib import Path
from platform import machine, python_version, release
from typing import Any

import orjson
from sqlalchemy import Connection, Row, func, select

from engine.access.audit import note
from engine.access.audit_queries import word_of
from engine.kernel import syslog
from engine.kernel.clock import legal_date
from engine.storage.tables.organisation import audit, audit_head

BATCH, MOST = 500, 20_000
ASSETS = "assets"
_SECURITY = ("登录失败", "登录受限", "会话被冒用", "alarm.", "access.", "rights.", "keys.", "改登录规定")


def send_out(app: Any, *, at: datetime) -> int:
    """Send what is new, at most MOST records a time; how many lines. Raises OSError when the log server doesn't answer."""
    address = app.settings.syslog
    if not address:
        return 0
    file = Path(app.settings.data_dir) / "syslog.json"
    places: dict[str, Any] = orjson.loads(file.read_bytes()) if file.exists() else {}
    sent = 0
    with app.db.connect() as connection:
        if places.get(ASSETS) != str(legal_date(at)):
            sent += syslog.send(address, [_asset_line(connection, app, at)])
            places[ASSETS] = str(legal_date(at))
            _keep(file, places)
        for chain, last in connection.execute(select(audit_head.c.chain, audit_head.c.seq).order_by(audit_head.c.chain)).all():
            while places.get(chain, 0) < last and sent < MOST:
                rows = _rows(connection, chain, places.get(chain, 0))
                sent += syslog.send(address, (_line(row) for row in rows))
                places[chain] = rows[-1].seq if rows else last
                _keep(file, places)
    return sent


def try_sending(app: Any, *, at: datetime) -> None:
    """As ``send_out``; that the log server doesn't answer is on record once an hour and raises nothing."""
    try:
        send_out(app, at=at)
    except OSError as error:
        file = Path(app.settings.data_dir) / "syslog.failed"
        if not file.exists() or datetime.fromisoformat(file.read_text()) + timedelta(hours=1) <= at:
            file.write_text(at.isoformat())
            with app.db.begin() as connection:
                note(connection, actor=None, at=at, action="syslog.failed", object=app.settings.syslog, detail={"why": str(error)[:300]})


def assets(connection: Connection, app: Any) -> dict[str, Any]:
    """What is installed here: version of the platform, its parts and libraries, database and system, for a list of assets."""
    return {
        "platform": "规程执法办案平台", "address": app.settings.public_url, "environment": app.settings.environment, "python": python_version(), "system": f"{release()} {machine()}",
        "database": connection.execute(select(func.version())).scalar_one(), "libraries": {one.metadata["Name"]: one.version for one in sorted(distributions(), key=lambda one: str(one.metadata["Name"]))},
        "listens": f"{app.settings.host}:{app.settings.port}",
    }


def _rows(connection: Connection, chain: str, after: int) -> list[Row[Any]]:
    return list(connection.execute(select(audit).where(audit.c.chain == chain, audit.c.seq > after).order_by(audit.c.seq).limit(BATCH)))


def _line(row: Row[Any]) -> bytes:
    security = row.action.startswith(_SECURITY)
    level = row.detail.get("level") if row.action == "alarm.raise" else ""
    data = {"chain": row.chain, "seq": row.seq, "actor": row.actor_id, "name": row.actor_name, "action": row.action, "object": row.object, "case": row.case_id,
            "network": row.detail.get("network"), "detail": orjson.dumps(row.detail).decode(), "sm3": row.hash.hex()}
    words = f"{row.actor_name}：{word_of(row.action)} {row.object}"
    return syslog.line(at=row.at, facility="security" if security else "audit", severity=level or ("notice" if security else "info"), kind=row.action, text=words, data=data)


def _asset_line(connection: Connection, app: Any, at: datetime) -> bytes:
    found = assets(connection, app)
    data = {name: value for name, value in found.items() if name != "libraries"}
    return syslog.line(at=at, facility="local", severity="info", kind=ASSETS, text=orjson.dumps(found["libraries"]).decode(), data=data)


def _keep(file: Path, places: dict[str, Any]) -> None:
    partial = file.with_suffix(".part")
    partial.write_bytes(orjson.dumps(places))
    partial.chmod(0o600)
    partial.replace(file)
