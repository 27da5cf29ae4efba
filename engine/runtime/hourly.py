"""What the runtime looks after every hour."""
from __future__ import annotations

from datetime import datetime

from engine.runtime.application import Application
from engine.runtime.compress_attachment import drop_originals
from engine.runtime.exchange.purge import purge_items
from engine.runtime.reports.schedule import order_drafts
from engine.runtime.warn_late_steps import warn_late_steps


def run(app: Application, *, at: datetime) -> None:
    """Warn whoever holds steps that are nearly due or late; draft the periodic reports that are due; drop originals that were made smaller a week ago; clear items of exchanges that need not be kept."""
    warn_late_steps(app, at=at)
    order_drafts(app, at=at)
    drop_originals(app, at=at)
    purge_items(app, at=at)
