"""A register of the tests' own, put into force in the tutorial's pack as an analyst would."""
from __future__ import annotations

from typing import Any

import pytest

from tests.engine.registers.stock import Stock, deploy_stock
from tests.town import Town


@pytest.fixture
def stock(town: Town) -> Stock:
    """Fifteen fields of every kind, kept by the unit's head."""
    return deploy_stock(town)


@pytest.fixture
def filled(stock: Stock) -> Stock:
    """With five records of the first station."""
    samples: list[dict[str, Any]] = [
        {"code": "伞-001", "colour": "red", "tags": ["new"], "price": "39.90", "weight": 12.5, "bought_on": "2026-01-05", "working": True, "phone": "13900001234", "secret": "甲"},
        {"code": "伞-002", "colour": "blue", "tags": ["new", "big"], "price": "129.00", "weight": 9, "bought_on": "2026-03-05", "working": False},
        {"code": "伞-003", "colour": "blue", "bought_on": "2025-12-31", "checked_at": "2026-11-19T23:30:00+08:00"},
        {"code": "布伞-004", "colour": "red", "price": "5.00"},
        {"code": "布伞-005"},
    ]
    for values in samples:
        stock.add(values)
    return stock
