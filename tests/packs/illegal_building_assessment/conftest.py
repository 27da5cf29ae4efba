"""Two districts whose points, closings, plans, samples and oversight cases are there to be assessed."""
from __future__ import annotations

import pytest

from tests.packs.illegal_building_assessment.year import Assessor
from tests.packs.oversight.orders import give_seals
from tests.packs.walk import Walker


@pytest.fixture
def walk(squads: Walker) -> Assessor:
    give_seals(squads)
    return Assessor(squads.app, squads.bureau)
