"""The open API: one module per topic with a ``topic`` blueprint, found by presence; ``engine.web.open_api`` puts them together."""
