"""The client of 12345 热线: the common contract of exchanges over HTTP."""
from __future__ import annotations

from engine.sdk import ConnectorConfig, connector
from engine.sdk.exchanging import ExchangePartner, HttpExchange
from integrations.hotline_12345.messages import FEEDS


@connector(title="12345 热线")
def make_client(config: ConnectorConfig) -> ExchangePartner:
    """The client of the configured system, real or simulated."""
    return HttpExchange(config, title="12345 热线", feeds=FEEDS)
