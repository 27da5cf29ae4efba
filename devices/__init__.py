"""Devices, one folder each: manifest, driver and simulator. Import engine.sdk only."""
