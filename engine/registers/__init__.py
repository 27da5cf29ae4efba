"""Registers (台账/库): typed tables from declarations, their records, lists and histories."""
