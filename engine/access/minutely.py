"""What goes out every minute: the trail, to the log server where one is named."""
from __future__ import annotations

from datetime import datetime
from typing import Any

from engine.access.sending_out import try_sending


def run(app: Any, *, at: datetime) -> None:
    """Send what is new; nothing where no log server is named."""
    try_sending(app, at=at)
