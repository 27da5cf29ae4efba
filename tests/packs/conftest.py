"""What the walks of all packs share."""
from __future__ import annotations

from pathlib import Path

import pytest

from engine.kernel.settings import ROOT


@pytest.fixture
def content_root() -> Path:
    """The folder that holds processes/, forms/, handlers/, integrations/."""
    return ROOT
