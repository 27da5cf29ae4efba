"""Calendars, dictionaries and dated parameters: what the law and the city set, as data. Packs bring the first rows.

Administrators add dated rows; nothing is deleted. Readers are cached for half a minute in each process, writers clear
their own process at once.
"""
