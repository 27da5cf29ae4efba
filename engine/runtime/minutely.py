"""What the runtime looks after every minute."""
from __future__ import annotations

from datetime import datetime

from engine.runtime.application import Application
from engine.runtime.exchange.run_exchange import order_exchanges


def run(app: Application, *, at: datetime) -> None:
    """Queue the exchanges that are due."""
    order_exchanges(app, at=at)
