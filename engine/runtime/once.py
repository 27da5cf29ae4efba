"""One key, one act: also when two processes bring the same key at the same moment."""
from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from psycopg.errors import UniqueViolation
from sqlalchemy.exc import IntegrityError

P = ParamSpec("P")
R = TypeVar("R")
KEY = "uq_act_key"


def once(verb: Callable[P, R]) -> Callable[P, R]:
    """Call ``verb`` again when another transaction committed an act with its key first; then it finds that act and replays it.

    Acts on one instance wait for each other at its lock. What has no row to lock yet, such as starting a case, meets here.
    """

    @wraps(verb)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return verb(*args, **kwargs)
        except IntegrityError as error:
            if not isinstance(error.orig, UniqueViolation) or error.orig.diag.constraint_name != KEY:
                raise
        return verb(*args, **kwargs)

    return call
