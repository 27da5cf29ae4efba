"""A filed case in the town."""
from __future__ import annotations

from typing import Any

import pytest

from tests.packs.filed import CaseWalker, add_party, filed_case


@pytest.fixture
def case(town: Any) -> CaseWalker:
    filed = filed_case(town)
    add_party(filed)
    return filed
