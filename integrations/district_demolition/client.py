"""The client of 区拆违系统: the common contract of exchanges over HTTP."""
from __future__ import annotations

from engine.sdk import ConnectorConfig, connector
from engine.sdk.exchanging import ExchangePartner, HttpExchange
from integrations.district_demolition.messages import FEEDS


@connector(title="区拆违系统")
def make_client(config: ConnectorConfig) -> ExchangePartner:
    """The client of the configured system, real or simulated."""
    return HttpExchange(config, title="区拆违系统", feeds=FEEDS)
