"""Periodic reports: declared beside the pack, text with figures that are taken once and stay."""
