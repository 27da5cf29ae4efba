"""What proves integrity every hour: an anchor is ordered, rows of rights are compared with their seals."""
from __future__ import annotations

from datetime import datetime
from typing import Any

from engine.access.guarding import ANCHOR


def run(app: Any, *, at: datetime) -> None:
    """Order the job; the worker signs the heads and looks at the rights."""
    with app.db.begin() as connection:
        app.jobs.defer(connection, ANCHOR, queueing_lock=ANCHOR)
