"""What the administrators' pages share: who may read them, days and choices from a form, an act that comes back with its errors."""
from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

from flask import request
from flask.typing import ResponseReturnValue

from engine.kernel.errors import Conflict, Invalid
from engine.runtime.organising import perform
from engine.web.answers import done
from engine.web.context import actor, identifier, now, sent_key


def require_reader() -> None:
    """Raise Forbidden unless the reader is one of the three administrators."""
    perform.require_reader(actor())


def require_right(right: str) -> None:
    """Raise Forbidden before anything is looked up: what is there stays untold."""
    actor().require(right)


def act(**more: Any) -> dict[str, Any]:
    """Who acts, which act it is, when, and why."""
    return {"actor": actor(), "key": sent_key(), "at": now(), "reason": request.form.get("reason", ""), **more}


def said(name: str) -> str:
    """A text of the form."""
    return request.form.get(name, "").strip()


def day(name: str, what: str) -> date:
    """A day of the form; raises Invalid."""
    found = day_or_none(name, what)
    if found is None:
        raise Invalid(f"请填{what}。", fields={name: "例如 2026-11-20。"})
    return found


def day_or_none(name: str, what: str) -> date | None:
    """A day of the form, None when it was left open; raises Invalid."""
    text = said(name)
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid(f"{what}没有填对。", fields={name: "例如 2026-11-20。"}) from None


def chosen(name: str, what: str) -> UUID:
    """An id of the form; raises Invalid when nothing was chosen."""
    text = said(name)
    if not text:
        raise Invalid(f"请选{what}。", fields={name: f"请选{what}。"})
    return identifier(text, what)


def tried(do: Callable[[], str], *, location: str, again: Callable[[str, dict[str, str]], str]) -> ResponseReturnValue:
    """Do it and go on at ``location`` with the sentence it gives; or show the page ``again`` with what is wrong."""
    try:
        told = do()
    except Invalid as error:
        return again(error.message, dict(error.fields)), 422
    except Conflict as error:
        return again(error.message, {}), 409
    return done(location, told)
