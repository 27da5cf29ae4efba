"""Exchanges with outside systems that repeat: items fetched since the last time, records given since the last time, both counted."""
