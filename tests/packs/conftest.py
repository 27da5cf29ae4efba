"""What the walks of all packs share."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.kernel.clock import FixedClock
from engine.kernel.settings import ROOT
from tests.packs.squads import _squads_template, squads
from tests.packs.walk import Bureau, Walker, found_bureau

__all__ = ["_squads_template", "squads"]


@pytest.fixture
def content_root() -> Path:
    """The folder that holds processes/, forms/, handlers/, integrations/."""
    return ROOT


@pytest.fixture
def bureau(app: Any, clock: FixedClock) -> Bureau:
    return found_bureau(app, clock.now())


@pytest.fixture
def walk(app: Any, bureau: Bureau) -> Walker:
    """Nobody has done anything yet."""
    return Walker(app, bureau)
