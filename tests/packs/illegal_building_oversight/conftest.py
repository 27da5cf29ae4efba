"""Two districts with 拆违办 and squads, whose bureaus have seals that their heads may use."""
from __future__ import annotations

from typing import Any

import pytest

from tests.packs.oversight.orders import Overseer, give_seals
from tests.packs.walk import Walker


@pytest.fixture
def walk(squads: Walker) -> Any:
    give_seals(squads)
    return Overseer(squads.app, squads.bureau)
