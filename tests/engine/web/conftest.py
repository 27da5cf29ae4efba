"""What the tests of the pages share."""
from __future__ import annotations

from typing import Any

import pytest

from tests.engine.web.site import Site


@pytest.fixture
def site(app: Any) -> Site:
    return Site(app)
