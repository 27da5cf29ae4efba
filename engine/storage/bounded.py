"""Reads that anybody may make as wide as they like: they end after a time, with words that say how to narrow them."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg.errors import QueryCanceled
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from engine.kernel.errors import Invalid

TOO_WIDE = "这个条件要看的记录太多，{seconds} 秒内看不完，已经停下。请再加一个条件（单位、时间、更长的词），或把范围缩小。"


@contextmanager
def bounded(engine: Engine, *, seconds: float = 3) -> Iterator[Connection]:
    """A connection whose statements end after ``seconds`` each; raises Invalid (code ``too_wide``) when one does. It writes nothing."""
    try:
        with engine.connect() as connection, connection.begin():
            connection.execute(text("SET TRANSACTION READ ONLY"))
            connection.execute(text(f"SET LOCAL statement_timeout = {int(seconds * 1000)}"))
            connection.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))  # the plan for a rare word is not that for a common one
            yield connection
    except DBAPIError as problem:
        if isinstance(problem.orig, QueryCanceled):
            raise Invalid(TOO_WIDE.format(seconds=f"{seconds:g}"), code="too_wide") from None
        raise
