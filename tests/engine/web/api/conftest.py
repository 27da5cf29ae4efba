"""The API on a fresh town."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from engine.web.flask_app import create_flask
from tests.engine.web.api.caller import Caller
from tests.town import Town


@pytest.fixture
def flask(town: Town) -> Flask:
    return create_flask(town.app)


@pytest.fixture
def caller(flask: Flask, town: Town) -> Callable[[str], Caller]:
    """``caller("officer")`` speaks for the officer."""
    known: dict[str, Caller] = {}

    def make(login: str) -> Caller:
        if login not in known:
            known[login] = Caller(flask, town, login)
        return known[login]

    return make


@pytest.fixture
def started(caller: Callable[[str], Caller]) -> dict[str, Any]:
    """A clue that the officer registered over the API."""
    from tests.engine.runtime.walk import CLUE

    made: dict[str, Any] = caller("officer").act("/cases", {"process": "case_filing.clue_intake", "outcome": "submit", "data": CLUE}, status=201)
    return made
