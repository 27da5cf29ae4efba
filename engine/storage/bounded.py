"""Reads that anybody may make as wide as they like: they end after a time, with words that say how to narrow them."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg.errors import QueryCanceled
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from engine.kernel.errors import Invalid

TOO_WIDE = "这个条件要看的记录太多，{seconds} 秒内看不完，已经停下。请再加一个条件（单位、时间、更长的词），或把范围缩小。"

BOUNDS = text("""
SELECT set_config('transaction_read_only', 'on', true), set_config('statement_timeout', :milliseconds, true), set_config('plan_cache_mode', 'force_custom_plan', true)
""".strip())
"""Plans are made for each word: that for a rare one is not that for a common one."""


@contextmanager
def bounded(engine: Engine, *, seconds: float = 3) -> Iterator[Connection]:
    """A connection whose statements end after ``seconds`` each; raises Invalid (code ``too_wide``) when one does. It writes nothing."""
    try:
        with engine.connect() as connection, connection.begin():
            connection.execute(BOUNDS, {"milliseconds": str(int(seconds * 1000))})
            yield connection
    except DBAPIError as problem:
        if isinstance(problem.orig, QueryCanceled):
            raise Invalid(TOO_WIDE.format(seconds=f"{seconds:g}"), code="too_wide") from None
        raise
