"""A case under investigation in the town."""
from __future__ import annotations

from typing import Any

import pytest

from engine.kernel.clock import FixedClock
from tests.packs.ordinary_case.case import OrdinaryCase, ordinary_case


@pytest.fixture
def case(town: Any, clock: FixedClock) -> OrdinaryCase:
    return ordinary_case(town, clock)
