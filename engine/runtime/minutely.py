"""What the runtime looks after every minute."""
from __future__ import annotations

from datetime import datetime

from engine.runtime.application import Application
from engine.runtime.exchange.run_exchange import order_exchanges
from engine.runtime.message_rules import apply_rules


def run(app: Application, *, at: datetime) -> None:
    """Queue the exchanges that are due; send what the rules of messages ask for."""
    order_exchanges(app, at=at)
    apply_rules(app, at=at)
