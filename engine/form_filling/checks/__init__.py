"""Checks of numbers that carry a check digit or a national numbering plan. Pure functions, no database."""
