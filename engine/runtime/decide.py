"""Decision tables that a business rule task names: the pinned version, compiled once."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from engine.decisions import compile_dmn
from engine.kernel.names import name_of
from engine.packs.library import Bundle
from engine.runtime.application import Application


def decider(app: Application, pinned: Bundle, at: datetime) -> Callable[[str, Mapping[str, Any]], Mapping[str, Any]]:
    """A function (decision ``<pack>.<name>``, facts) → its result as a dict; a single value comes as ``result``."""

    def decide(name: str, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        id = pinned.member("decision", name)
        key = ("decision", id)
        if key not in app.cache:
            app.cache[key] = compile_dmn(app.library.definition(id).content)
        value = app.cache[key].evaluate(name_of(name), facts, strict=True, at=at)
        return value if isinstance(value, Mapping) else {"result": value}

    return decide
