"""What clocks tidy every minute."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from engine.deadlines.counts import fold_counts


def run(app: Any, *, at: datetime) -> None:
    """Fold the differences of the last minute into the counts by unit."""
    with app.db.begin() as connection:
        fold_counts(connection)
