"""The client of 市规划资源局: the common contract of exchanges over HTTP."""
from __future__ import annotations

from engine.sdk import ConnectorConfig, connector
from engine.sdk.exchanging import ExchangePartner, HttpExchange
from integrations.planning_bureau.messages import FEEDS


@connector(title="市规划资源局")
def make_client(config: ConnectorConfig) -> ExchangePartner:
    """The client of the configured system, real or simulated."""
    return HttpExchange(config, title="市规划资源局", feeds=FEEDS)
