"""Figures over registers: declared beside the pack, counted in the database, each with the list behind it."""
