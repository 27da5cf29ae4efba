from __future__ import annotations

import pytest

from tests.engine.runtime.bpmn.driver import Driver, load


@pytest.fixture
def diagram(request: pytest.FixtureRequest):
    """Start the diagram that is named after the test (or after ``name``)."""

    def start(facts=None, *, name: str = "", **options) -> Driver:
        return Driver(load(name or request.node.name.removeprefix("test_")), facts, **options)

    return start
