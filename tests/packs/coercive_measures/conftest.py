"""A filed case in the town."""
from __future__ import annotations

from typing import Any

import pytest

from tests.packs.filed import CaseWalker, filed_case


@pytest.fixture
def case(town: Any) -> CaseWalker:
    return filed_case(town)
