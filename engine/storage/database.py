"""The connection pool, and what a PostgreSQL server must be able to do before anything is stored in it."""
from __future__ import annotations

import os
import select
from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

import orjson
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DisconnectionError

from engine.kernel.errors import GuichengError
from engine.kernel.loopback import is_loopback
from engine.kernel.settings import Settings
from engine.storage.wire import commit_in_one_trip

OLDEST, NEWEST = 15, 18
ENCRYPTED = ("require", "verify-ca", "verify-full")
PROBE = "行政处罚"
# A host that lost its power says no farewell: either side notices within half a minute, and its locks are free again.
KEEPALIVES = {
    "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 25_000,
    "options": "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3 -c tcp_user_timeout=25000",
}
_READING: WeakKeyDictionary[Engine, Engine] = WeakKeyDictionary()


class DatabaseUnfit(GuichengError):
    """The server can't carry this platform; the message says which setting to change."""

    status = 503
    code = "database_unfit"


def make_engine(settings: Settings, *, pool_size: int = 5, application_name: str = "guicheng") -> Engine:
    """A pool for ``settings.database_url``: small, without a ping per checkout but never handing out one that the server ended, named in pg_stat_activity."""
    if not settings.database_url:
        raise DatabaseUnfit("没有数据库地址：请用 ./run 启动内置数据库，或设置 DATABASE_URL。")
    if settings.environment == "production" and (problem := plain_line(settings.database_url)):
        raise DatabaseUnfit(problem)
    engine = create_engine(
        settings.sqlalchemy_url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=False,
        pool_use_lifo=True,
        hide_parameters=settings.environment != "test",  # an error's text goes into the log, and parameters are people's data
        connect_args={"application_name": application_name, "connect_timeout": 10, **KEEPALIVES},
        json_serializer=dump_json,
        json_deserializer=orjson.loads,
    )
    event.listen(engine, "checkout", _refuse_a_dead_one)
    commit_in_one_trip(engine)
    return engine


def _refuse_a_dead_one(dbapi_connection: Any, _record: Any, _proxy: Any) -> None:
    """A resting connection on which something came in was ended by the server: the pool makes another one, nobody notices.

    Asks the operating system only; unlike a ping it costs no round trip.
    """
    if dbapi_connection.closed or is_readable(dbapi_connection.fileno()):
        raise DisconnectionError("the server ended the connection")


def is_readable(descriptor: int) -> bool:
    """True when there is something to read, or the other end hung up."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


def plain_line(url: str, env: Mapping[str, str] | None = None) -> str:
    """What is wrong when the database is on another machine and the line to it isn't encrypted; empty when nothing is."""
    env, found = os.environ if env is None else env, make_url(url)
    asked = {name: one if isinstance(one, str) else one[-1] for name, one in found.query.items()}
    hosts = (asked.get("host") or found.host or env.get("PGHOST", "")).split(",")
    away = [host for host in hosts if host and not host.startswith(("/", "@")) and not is_loopback(host)]
    mode = asked.get("sslmode") or env.get("PGSSLMODE", "prefer")
    if not away or mode in ENCRYPTED:
        return ""
    return f"到数据库 {away[0]} 的连接没有规定加密（sslmode={mode}）：请在 DATABASE_URL 后面加 ?sslmode=verify-full&sslrootcert=根证书。"


def for_reading(engine: Engine) -> Engine:
    """The same pool for reads that need no transaction: each statement sees what is committed when it starts.

    Without BEGIN and ROLLBACK a read saves two round trips, and the driver keeps its prepared statements, which it
    forgets at every rollback: about half the time of a short query.
    """
    found = _READING.get(engine)
    if found is None:
        found = _READING[engine] = engine.execution_options(isolation_level="AUTOCOMMIT")
    return found


def dump_json(value: Any) -> str:
    """JSON text for a jsonb column; decimals become strings, as money does everywhere."""
    return orjson.dumps(value, default=str).decode()


def check_server(connection: Connection) -> None:
    """Raise DatabaseUnfit unless version and encoding are right."""
    major = int(connection.execute(text("SHOW server_version_num")).scalar_one()) // 10_000
    if not OLDEST <= major <= NEWEST:
        raise DatabaseUnfit(f"数据库是 PostgreSQL {major}，本平台需要 {OLDEST}–{NEWEST}。")
    encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
    if encoding != "UTF8":
        raise DatabaseUnfit(f"数据库的编码是 {encoding}，请用 CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0 重建。")


def check_trigrams(connection: Connection) -> None:
    """Raise DatabaseUnfit when pg_trgm finds no trigrams in Chinese text (ctype C does that silently)."""
    count = connection.execute(text("SELECT cardinality(show_trgm(:probe))"), {"probe": PROBE}).scalar_one()
    if not count:
        raise DatabaseUnfit("数据库的 LC_CTYPE 不认识中文，全文检索会失效：请以 LC_CTYPE 'C.UTF-8' 或 'zh_CN.UTF-8' 重建数据库。")
