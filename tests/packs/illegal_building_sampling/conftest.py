"""Two districts with 拆违办 on every level; points are made by registering them."""
from __future__ import annotations

import pytest

from tests.packs.walk import Walker


@pytest.fixture
def walk(squads: Walker) -> Walker:
    return squads
