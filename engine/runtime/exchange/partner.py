"""The client of the system that an exchange is with."""
from __future__ import annotations

from urllib.parse import urlsplit

from engine.kernel.errors import TryAgain
from engine.kernel.loopback import is_loopback
from engine.packs.manifest import Exchange
from engine.runtime.application import Application
from engine.runtime.exchange.contract import ExchangePartner


def partner_of(app: Application, exchange: Exchange) -> ExchangePartner:
    """Raises TryAgain where the exchange demands sealed envelopes and this deployment has no certificate of the other side."""
    factory = app.connectors.find(exchange.system)
    if exchange.sealed and factory is not None:
        config = factory.config(app.settings)
        if config.url and config.peer is None and not is_loopback(urlsplit(config.url).hostname or ""):
            raise TryAgain(f"“{exchange.title}”要求加密信封（sealed），请在 connectors/{exchange.system}.json 里写明对方的证书文件（peer）。")
    partner: ExchangePartner = app.connector(exchange.system)
    return partner
