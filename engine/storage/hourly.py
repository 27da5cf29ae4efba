"""What storage tidies every hour."""
from __future__ import annotations

from datetime import datetime
from typing import Any


def run(app: Any, *, at: datetime) -> None:
    """Delete jobs that ended long ago."""
    app.jobs.remove_old()
