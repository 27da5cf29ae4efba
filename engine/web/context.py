"""What a view reaches for: the application, the signed-in person, this request's instant and database connection."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import TYPE_CHECKING, cast
from uuid import UUID, uuid4

from flask import current_app, g, request
from sqlalchemy import Connection

from engine.access.actors import Actor
from engine.kernel.clock import legal_date
from engine.kernel.errors import NotFound
from engine.storage.database import for_reading

if TYPE_CHECKING:
    from engine.runtime.application import Application


def application() -> Application:
    """The assembled application behind this Flask app."""
    return cast("Application", current_app.extensions["guicheng"])


def actor() -> Actor:
    """The signed-in person; the guard has made sure that there is one on every route that isn't public."""
    return cast(Actor, g.actor)


def now() -> datetime:
    """The instant of this request, the same however often it is asked."""
    if "now" not in g:
        g.now = application().clock.now()
    return cast(datetime, g.now)


def today() -> date:
    """The legal day of this request."""
    return legal_date(now())


@contextmanager
def reading() -> Iterator[Connection]:
    """A connection for reading, without a transaction around its statements."""
    with for_reading(application().db).connect() as connection:
        yield connection


@contextmanager
def writing() -> Iterator[Connection]:
    """A transaction that commits at its end unless the view raises."""
    with application().db.begin() as connection:
        yield connection


def identifier(text: str, what: str = "内容") -> UUID:
    """``text`` from an address as an id; what is none looks like what is not there."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound(f"没有找到这个{what}，地址可能不完整。") from None


def new_key() -> str:
    """A key for one act: a form that is sent twice carries the same one."""
    return str(uuid4())


def sent_key() -> str:
    """The act's key in the form that was sent."""
    key = request.form.get("key", "")
    return key if 8 <= len(key) <= 100 else new_key()
