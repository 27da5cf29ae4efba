"""Dated parameters, dictionaries and calendars."""
